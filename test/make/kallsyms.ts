// Symbol tables as scripts/kallsyms.c of different kernels writes them, in memory at kernelBase.

import type { Kernel } from '../../src/core/kernel/kernel.ts'
import { Vmcoreinfo } from '../../src/core/kernel/vmcoreinfo.ts'
import type { Range } from '../../src/core/ranges.ts'
import { kernelBase, makeKernelMemory } from './kernel-memory.ts'
import type { MadeSymbol } from './symbol-table.ts'

export interface MadeKallsyms {
  readonly symbols: readonly MadeSymbol[]
  readonly encoding: 'absolute' | 'relative' | 'absolute per-CPU' | 'place'
  /** 5.4: addresses first · 6.2: and a third table before the tokens · 6.4: addresses last · 7.0: all of 4 bytes */
  readonly order: '4.18' | '5.4' | '6.2' | '6.4' | '7.0'
  /** Names of more than 127 tokens have two length bytes (6.1). */
  readonly longNames?: boolean
  /** In VMCOREINFO, since 6.0. */
  readonly hasKeys: boolean
  readonly missing?: readonly Range[]
}

const isLiteral = (byte: number): boolean => /[\w.]/.test(String.fromCharCode(byte))
/** Every byte is a token: of itself, or of a longer string. */
const tokens = Array.from({ length: 256 }, (_, byte) =>
  isLiteral(byte) ? String.fromCharCode(byte) : byte === 1 ? 'sched_' : `q${byte}z`,
)
const relativeBase = kernelBase
/** Where the first table starts; no multiple of 8, so that the 4-byte alignment of 7.0 shows. */
const tablesStart = 0x10_0004

export function makeKallsyms(made: MadeKallsyms): Pick<Kernel, 'memory' | 'vmcoreinfo'> {
  const align = made.order === '7.0' ? 4 : 8
  const parts: { at: number; bytes: Buffer }[] = []
  let end = tablesStart
  const put = (bytes: Buffer): number => {
    const at = Math.ceil(end / align) * align
    parts.push({ at, bytes })
    end = at + bytes.length
    return at
  }

  const isOld = ['4.18', '5.4', '6.2'].includes(made.order)
  const before = isOld ? putAddresses() : undefined
  const count = put(words([made.symbols.length], made.order === '4.18' ? 8 : 4))
  const packed = made.symbols.map(([name, type]) => packName(type + name, made.longNames ?? false))
  const names = put(Buffer.concat(packed))
  put(words(markers(packed), made.order === '4.18' ? 8 : 4))
  if (made.order === '6.2') put(Buffer.alloc(3 * packed.length, 0x5c))
  const tokenTable = put(Buffer.from(`${tokens.join('\0')}\0`, 'latin1'))
  const tokenIndex = put(
    words(
      tokens.map((_, i) => tokens.slice(0, i).join('').length + i),
      2,
    ),
  )
  const addresses = before ?? putAddresses()

  const bytes = Buffer.alloc(end + 0x1_0000)
  for (const part of parts) part.bytes.copy(bytes, part.at)
  const at = (offset: number): string => (kernelBase + BigInt(offset)).toString(16)
  const keys = {
    num_syms: count,
    names,
    token_table: tokenTable,
    token_index: tokenIndex,
    ...addresses,
  }
  const text = [
    ...made.symbols
      .filter(([name]) => name === '_stext')
      .map(([name, , a]) => `SYMBOL(${name})=${a.toString(16)}`),
    `SYMBOL(init_uts_ns)=${at(bytes.length - 8)}`,
    ...(made.hasKeys
      ? Object.entries(keys).map(([key, offset]) => `SYMBOL(kallsyms_${key})=${at(offset)}`)
      : []),
  ].join('\n')
  return { memory: makeKernelMemory(bytes, made.missing), vmcoreinfo: new Vmcoreinfo(text) }

  function putAddresses(): Record<string, number> {
    const values = made.symbols.map(([, , address]) => address)
    if (made.encoding === 'absolute') return { addresses: put(words(values, 8)) }
    const start = Math.ceil(end / align) * align
    const offsets = values.map((address, i) => {
      if (made.encoding === 'place') return address - (kernelBase + BigInt(start + 4 * i))
      const isPlain = made.encoding === 'relative'
      if (isPlain) return address - relativeBase
      return address < kernelBase ? address : relativeBase - 1n - address
    })
    put(words(offsets, 4))
    return made.encoding === 'place'
      ? { offsets: start }
      : { offsets: start, relative_base: put(words([relativeBase], 8)) }
  }
}

function packName(text: string, isLong: boolean): Buffer {
  const bytes = Buffer.from(text.replaceAll('sched_', '\x01'), 'latin1')
  const { length } = bytes
  const head = isLong && length > 127 ? [0x80 | (length & 0x7f), length >> 7] : [length]
  return Buffer.concat([Buffer.from(head), bytes])
}

/** Where each 256th name starts. */
function markers(packed: readonly Buffer[]): number[] {
  const list: number[] = []
  let at = 0
  packed.forEach((name, i) => {
    if (i % 256 === 0) list.push(at)
    at += name.length
  })
  return list
}

/** Little-endian numbers of `width` bytes, two's complement. */
function words(values: readonly (number | bigint)[], width: 2 | 4 | 8): Buffer {
  const bytes = Buffer.alloc(values.length * width)
  values.forEach((value, i) => {
    const at = i * width
    if (width === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), at)
    else bytes.writeUIntLE(Number(BigInt.asUintN(8 * width, BigInt(value))), at, width)
  })
  return bytes
}
