// Names in kallsyms: each a length and so many bytes, each byte a token, each token some characters; the
// first character is the symbol's type. How lengths are written is not said anywhere, but the table of
// markers behind the names tells where every 256th name starts.
// Source: Linux scripts/kallsyms.c, kernel/kallsyms.c (kallsyms_expand_symbol).

import { alignUp, MiB, type VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { VirtualMemory } from '../memory/virtual.ts'

export interface PackedNames {
  /** From the first name on, past the markers. */
  readonly bytes: Uint8Array
  readonly address: VirtAddr
}

/** Token table of usual kernels: 1 KiB. */
const maxTokenTable = 64 * 1024
const maxPoolSize = 256 * MiB
/** Names from one marker to the next. */
const markerStep = 256

export interface NameLayout {
  /** Where each name starts, and where the last one ends. */
  readonly starts: Uint32Array
  /** Bit 7 of a length says that a second byte follows. */
  readonly isLong: boolean
}

/** Undefined when the markers do not agree. */
export function findNameLayout(
  { bytes, address }: PackedNames,
  count: number,
  littleEndian: boolean,
): NameLayout | undefined {
  // Since Linux commit 73bbb94466fd ("kallsyms: support "big" kernel symbols", v6.1) names may be long.
  for (const isLong of [true, false]) {
    const starts = walkNames(bytes, count, isLong)
    if (starts !== undefined && hasMarkers(bytes, address, starts, littleEndian)) return { starts, isLong }
  }
  return undefined
}

/** Undefined when the names go on past the bytes. */
function walkNames(bytes: Uint8Array, count: number, isLong: boolean): Uint32Array | undefined {
  const starts = new Uint32Array(count + 1)
  let at = 0
  for (let i = 0; i < count; i++) {
    starts[i] = at
    at += headSize(bytes, at, isLong) + tokenCount(bytes, at, isLong)
    if (at > bytes.length) return undefined
  }
  starts[count] = at
  return starts
}

const headSize = (bytes: Uint8Array, at: number, isLong: boolean): number =>
  isLong && (bytes[at] ?? 0) >= 0x80 ? 2 : 1

function tokenCount(bytes: Uint8Array, at: number, isLong: boolean): number {
  const low = bytes[at] ?? 0
  return isLong && low >= 0x80 ? (low & 0x7f) | ((bytes[at + 1] ?? 0) << 7) : low
}

/** Markers are 32 bits, before Linux 4.20 64 bits; tables are aligned to 8, since 7.0 to 4. */
function hasMarkers(
  bytes: Uint8Array,
  address: VirtAddr,
  starts: Uint32Array,
  littleEndian: boolean,
): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const skew = Number(address % 8n)
  const count = starts.length - 1
  const markers = Math.ceil(count / markerStep)
  return [4, 8].some((align) =>
    [4, 8].some((width) => {
      const at = alignUp(skew + (starts[count] as number), align) - skew
      if (at + markers * width > bytes.length) return false
      const low = littleEndian ? 0 : width - 4
      for (let i = 0; i < markers; i++) {
        if (view.getUint32(at + i * width + low, littleEndian) !== starts[i * markerStep]) return false
      }
      return true
    }),
  )
}

/** What each of the 256 tokens stands for. */
export interface Tokens {
  readonly bytes: Uint8Array
  readonly starts: Uint16Array
  readonly lengths: Uint16Array
}

/** Undefined when a token does not end. @throws {FaultError} */
export function readTokens(
  memory: VirtualMemory,
  { tokenTable, tokenIndex }: { readonly tokenTable: VirtAddr; readonly tokenIndex: VirtAddr },
): Tokens | undefined {
  const index = new DataView(memory.bytes(tokenIndex, 512).buffer)
  const starts = Uint16Array.from({ length: 256 }, (_, i) => index.getUint16(2 * i, memory.littleEndian))
  // The index follows the table, in all kernels so far.
  const size = tokenIndex > tokenTable ? Number(tokenIndex - tokenTable) : maxTokenTable
  const bytes = memory.bytes(tokenTable, Math.min(size, maxTokenTable))
  const ends = Array.from(starts, (start) => bytes.indexOf(0, start))
  if (ends.some((end) => end < 0)) return undefined
  return { bytes, starts, lengths: Uint16Array.from(ends, (end, i) => end - (starts[i] as number)) }
}

export interface UnpackedNames {
  readonly types: Uint8Array
  /** NUL-terminated. */
  readonly pool: Uint8Array
  readonly poolStarts: Uint32Array
}

/** @throws {KernelError} tokens so long that the names would fill the memory */
export function unpackNames(
  packed: Uint8Array,
  { starts, isLong }: NameLayout,
  tokens: Tokens,
): UnpackedNames {
  const count = starts.length - 1
  const types = new Uint8Array(count)
  const poolStarts = new Uint32Array(count)
  const pool = new Uint8Array(poolSize(packed.subarray(0, starts[count]), tokens))
  let end = 0
  for (let i = 0; i < count; i++) {
    poolStarts[i] = end
    const start = starts[i] as number
    const next = starts[i + 1] as number
    let isType = true
    for (let at = start + headSize(packed, start, isLong); at < next; at++) {
      const token = packed[at] as number
      let from = tokens.starts[token] as number
      const to = from + (tokens.lengths[token] as number)
      if (isType && from < to) {
        types[i] = tokens.bytes[from++] as number
        isType = false
      }
      while (from < to) pool[end++] = tokens.bytes[from++] as number
    }
    end++
  }
  return { types, pool: pool.subarray(0, end), poolStarts }
}

/** Bytes at most: the lengths, counted as tokens too, leave more room than the NULs need. */
function poolSize(packed: Uint8Array, { lengths }: Tokens): number {
  let size = packed.length
  for (let at = 0; at < packed.length; at++) size += lengths[packed[at] as number] as number
  if (size <= maxPoolSize) return size
  throw new KernelError(`the names of kernel symbols (kallsyms) would take ${size} bytes: damaged`)
}
