// Finds kallsyms by its shape, for kernels that do not say where it is (before 6.0, or a note that was
// lost). Digits stand for themselves in the token table, one after the other; the other tables are
// around it in one of three orders. Every number is checked by a table that depends on it.
// Source: Linux scripts/kallsyms.c (write_src) from 4.18 to 7.2.

import { alignUp, KiB, MiB, type VirtAddr } from '../address.ts'
import { presentBytes } from '../memory/present-bytes.ts'
import type { VirtualMemory } from '../memory/virtual.ts'
import { findNameLayout, readTokens, type Tokens } from './kallsyms-names.ts'
import { type KallsymsPlace, maxSymbols } from './kallsyms-place.ts'
import type { Kernel } from './kernel.ts'
import { readOnlyData } from './read-only-data.ts'

/** A kernel with fewer symbols is too small to be crashed. */
const minSymbols = 10_000
/** Names, and before them the offsets: 16 times a distribution's kernel. */
const reach = 32 * MiB
const chunkSize = MiB
/** Names that are walked over for all candidates together: seconds. */
const maxWork = 1_000_000_000

/** `0` to `9`, each with its NUL. */
const digits = Buffer.from('0\x001\x002\x003\x004\x005\x006\x007\x008\x009\0', 'latin1')
const tokenSpace = 16 * KiB

/** Every place the tables can be, best first. Pages that are not in the dump hold no table. */
export function* searchKallsyms({ vmcoreinfo, memory }: Kernel): Generator<KallsymsPlace> {
  const { start, end } = readOnlyData(vmcoreinfo)
  const overlap = BigInt(digits.length)
  for (let at = start; at < end; at += BigInt(chunkSize) - overlap) {
    const bytes = presentBytes(memory, at, chunkSize)
    for (let hit = bytes.indexOf(digits); hit >= 0; hit = bytes.indexOf(digits, hit + 1)) {
      const tokens = findTokens(memory, at + BigInt(hit))
      if (tokens !== undefined) yield* findTables(memory, tokens)
    }
  }
}

interface TokenPlace {
  readonly tokenTable: VirtAddr
  readonly tokenIndex: VirtAddr
}

/** The token table whose digits stand at `zero`; its index, which follows, proves it. */
function findTokens(memory: VirtualMemory, zero: VirtAddr): TokenPlace | undefined {
  const bytes = presentBytes(memory, zero, tokenSpace)
  const starts: number[] = []
  let end = 0
  for (let token = 0x30; token < 256; token++) {
    starts.push(end)
    const length = bytes.indexOf(0, end) - end
    if (length < 1 || length > 64) return undefined
    end += length + 1
  }
  for (const align of [2, 4, 8, 16, 32, 64]) {
    const skew = Number(zero % 64n)
    const at = alignUp(skew + end, align) - skew
    if (at + 512 > bytes.length) return undefined
    const index = (token: number): number =>
      memory.littleEndian ? bytes.readUInt16LE(at + 2 * token) : bytes.readUInt16BE(at + 2 * token)
    const base = index(0x30)
    if (index(0) === 0 && starts.every((start, i) => index(0x30 + i) === base + start)) {
      return { tokenTable: zero - BigInt(base), tokenIndex: zero + BigInt(at) }
    }
  }
  return undefined
}

/** The number of symbols in front of the names, in front of the tokens; then the addresses. */
function* findTables(memory: VirtualMemory, place: TokenPlace): Generator<KallsymsPlace> {
  const tokens = readTokens(memory, place)
  if (tokens === undefined) return
  const bottom = place.tokenTable - BigInt(reach)
  const before = presentBytes(memory, bottom, reach)
  const read32 = (at: number): number =>
    memory.littleEndian ? before.readUInt32LE(at) : before.readUInt32BE(at)
  let work = 0
  for (let at = reach - 8 - Number(place.tokenTable % 4n); at >= 0 && work < maxWork; at -= 4) {
    const count = read32(at)
    const room = reach - at - 8
    if (count < minSymbols || count > maxSymbols || 2 * count > room) continue
    // A 64-bit number before Linux 4.20, and still aligned like one until 7.0.
    for (const names of read32(at + 4) === 0 ? [at + 8, at + 4] : [at + 4]) {
      if (!beginsWithNames(before, names, tokens)) continue
      work += 2 * count
      const packed = { bytes: before.subarray(names), address: bottom + BigInt(names) }
      if (findNameLayout(packed, count, memory.littleEndian) === undefined) continue
      yield* addressTables({ ...place, count, names: packed.address }, bottom + BigInt(at))
    }
  }
}

/** Names of many tokens are rare, and the first character of each is a type letter. */
function beginsWithNames(packed: Uint8Array, start: number, { bytes, starts }: Tokens): boolean {
  let at = start
  for (let i = 0; i < 300; i++) {
    const length = packed[at] ?? 0
    if (length === 0 || length > 0xc0) return false
    const letter = bytes[starts[packed[at + 1] as number] as number] as number
    const isLetter = (letter | 0x20) >= 0x61 && (letter | 0x20) <= 0x7a
    if (!isLetter) return false
    at += 1 + length
  }
  return true
}

/** Before 6.4 in front of the number of symbols, then behind the token index. */
function* addressTables(
  found: Pick<KallsymsPlace, 'count' | 'names' | 'tokenTable' | 'tokenIndex'>,
  countAddress: VirtAddr,
): Generator<KallsymsPlace> {
  const { count } = found
  const align8 = (address: VirtAddr): VirtAddr => (address + 7n) & ~7n
  const size = BigInt(4 * count)
  const behind = found.tokenIndex + 512n
  yield { ...found, offsets: behind, relativeBase: align8(behind + size) }
  yield { ...found, offsets: align8(behind), relativeBase: align8(align8(behind) + size) }
  const base = countAddress - 8n
  yield { ...found, offsets: base - align8(size), relativeBase: base }
  yield { ...found, addresses: align8(behind) }
  yield { ...found, addresses: countAddress - 2n * size }
}
