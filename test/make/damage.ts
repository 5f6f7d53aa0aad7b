// Damages a file in every way a header can lie, and reads what can still be read. A reader may refuse or
// answer; anything but a DumpError, a hang or a huge allocation is a bug.

import { BufferSource } from '../../src/core/byte-source.ts'
import { DumpError } from '../../src/core/errors.ts'
import type { Abi, Struct } from '../../src/core/struct.ts'
import { openSource } from '../../src/formats/index.ts'

export interface Damaged {
  /** `e_phnum = 0xffff` */
  readonly what: string
  readonly bytes: Uint8Array
}

// biome-ignore lint/suspicious/noExplicitAny: any table of fields, as in struct.ts
export type AnyStruct = Struct<any>

/** A number in a file: at most 64 bits of a field, the first ones of a longer field. */
export interface NumberPlace {
  /** `elf64_hdr.e_phnum` */
  readonly name: string
  /** Byte in the file. */
  readonly at: number
  readonly bits: number
  readonly littleEndian: boolean
}

/** The fields of the struct at byte `at`. */
export function numbersOf(table: AnyStruct, abi: Abi, at: number): readonly NumberPlace[] {
  const { offsets, size } = table.layout(abi)
  const starts = Object.entries(offsets) as [string, number][]
  return starts.map(([name, start], i) => ({
    name: `${table.name}.${name}`,
    at: at + start,
    bits: 8 * Math.min(8, (starts[i + 1]?.[1] ?? size) - start),
    littleEndian: abi.littleEndian,
  }))
}

/** What tends to go wrong: 0, the greatest values with and without a sign, one less and one more. */
export function wrongValues(old: bigint, bits: number): readonly bigint[] {
  const most = 2n ** BigInt(bits) - 1n
  const values = [0n, most, most >> 1n, (most >> 1n) + 1n, old - 1n, old + 1n]
  return [...new Set(values.map((value) => BigInt.asUintN(bits, value)))]
}

/** The file with each field of the struct at byte `at` wrong in each way. */
export function* damageFields(file: Uint8Array, table: AnyStruct, abi: Abi, at: number): Generator<Damaged> {
  for (const place of numbersOf(table, abi, at)) {
    for (const value of wrongValues(readNumber(file, place), place.bits)) {
      const bytes = file.slice()
      writeNumber(bytes, place, value)
      yield { what: `${place.name} = 0x${value.toString(16)}`, bytes }
    }
  }
}

/** Unsigned. */
export function readNumber(bytes: Uint8Array, { at, bits, littleEndian }: NumberPlace): bigint {
  const digits = Buffer.from(bytes.subarray(at, at + bits / 8))
  return BigInt(`0x${(littleEndian ? digits.reverse() : digits).toString('hex')}`)
}

export function writeNumber(bytes: Uint8Array, { at, bits, littleEndian }: NumberPlace, value: bigint): void {
  const digits = Buffer.from(
    BigInt.asUintN(bits, value)
      .toString(16)
      .padStart(bits / 4, '0'),
    'hex',
  )
  bytes.set(littleEndian ? digits.reverse() : digits, at)
}

/** The file cut after every `step` bytes. */
export function* cuts(file: Uint8Array, from = 0, step = 1): Generator<Damaged> {
  for (let length = from; length < file.length; length += step) {
    yield { what: `cut at ${length}`, bytes: file.subarray(0, length) }
  }
}

const value = <T>(read: () => T): T | DumpError => {
  try {
    return read()
  } catch (error) {
    if (error instanceof DumpError) return error
    throw error
  }
}

/**
 * Open it and read the beginning and the end of every range of memory and every page that it says it
 * has, some hundred of each at most. Returns pages by address, or the error.
 */
export function readDamaged(
  bytes: Uint8Array,
  pageSize: number,
): ReadonlyMap<number, Uint8Array> | DumpError {
  return value(() => {
    using dump = openSource(new BufferSource(bytes, 'damaged'))
    const byte = new Uint8Array(1)
    for (const { start, end } of dump.memory.ranges.slice(0, 100)) {
      value(() => dump.memory.read(start, byte))
      value(() => dump.memory.read(end - 1, byte))
    }
    const pages = new Map<number, Uint8Array>()
    const stored = value(() => dump.memory.storedPages(pageSize))
    if (stored instanceof DumpError) return pages
    for (let pfn = stored.next(0); pfn >= 0 && pages.size < 200; pfn = stored.next(pfn + 1)) {
      const page = new Uint8Array(pageSize)
      if (!(value(() => dump.memory.read(pfn * pageSize, page)) instanceof DumpError)) {
        pages.set(pfn * pageSize, page)
      }
    }
    return pages
  })
}

/** What the work took more than was in use before it, bytes; the most there was at any time. */
export function memoryTaken(work: () => void): number {
  const before = process.resourceUsage().maxRSS
  work()
  return (process.resourceUsage().maxRSS - before) * 1024
}
