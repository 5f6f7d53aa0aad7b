// Layouts as tables. A struct is declared once; offsets, padding, reading and writing follow from the
// ABI of the machine that was dumped. Rules are C's: natural alignment, except that 64-bit fields of
// 32-bit machines align to `align64`.

import { Cursor, type Origin } from './cursor.ts'

/** What decides a C struct's layout and byte order. */
export interface Abi {
  /** Size of `unsigned long` and of a pointer. */
  readonly wordBytes: 4 | 8
  readonly littleEndian: boolean
  /** Alignment of 64-bit members: 8, but 4 on i386. */
  readonly align64: 4 | 8
}

export const abi64le: Abi = { wordBytes: 8, littleEndian: true, align64: 8 }
export const abi64be: Abi = { wordBytes: 8, littleEndian: false, align64: 8 }

export interface FieldOptions {
  /** First version of the struct that has the field; in older files it reads as undefined. */
  readonly since?: number
}

interface FieldType<T> {
  readonly size: (abi: Abi) => number
  readonly align: (abi: Abi) => number
  readonly read: (cursor: Cursor, abi: Abi, name: string) => T
  readonly write: (view: DataView, at: number, abi: Abi, value: T) => void
  readonly zero: () => T
}

export interface Field<T> extends FieldType<T> {
  readonly doc: string
  readonly since: number
}

type FieldsOf = Readonly<Record<string, Field<unknown>>>
// biome-ignore lint/suspicious/noExplicitAny: the value type of a field is invariant, any is its only supertype here
type AnyFields = Readonly<Record<string, Field<any>>>

/** The value a struct reads as: one property per field. */
export type Of<S> =
  S extends Struct<infer F> ? { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never } : never

export interface Layout {
  /** Bytes, trailing padding included. */
  readonly size: number
  readonly align: number
  /** Bytes from the start of the struct. */
  readonly offsets: Readonly<Record<string, number>>
}

export interface Struct<F extends AnyFields> {
  readonly name: string
  readonly fields: F
  /** Sizes and offsets for one ABI; compiled once. */
  layout(abi: Abi): Layout & { readonly offsets: { readonly [K in keyof F]: number } }
  /** Read at the cursor's position and move past the struct. @throws {FormatError} out of bounds. */
  read(cursor: Cursor, abi: Abi, version?: number): Of<Struct<F>>
  /** Read from bytes. */
  parse(bytes: Uint8Array, abi: Abi, origin: Origin, version?: number): Of<Struct<F>>
  /** New bytes; fields left out are zero. */
  write(value: Partial<Of<Struct<F>>>, abi: Abi): Uint8Array
}

export function struct<const F extends AnyFields>(
  name: string,
  fields: F,
  options: { readonly packed?: boolean } = {},
): Struct<F> {
  const compiled = new Map<string, Layout>()
  const entries = Object.entries(fields as FieldsOf)

  function layout(abi: Abi): Layout {
    const key = `${abi.wordBytes}${abi.align64}`
    const known = compiled.get(key)
    if (known !== undefined) return known
    const offsets: Record<string, number> = {}
    let at = 0
    let widest = 1
    for (const [fieldName, field] of entries) {
      const align = options.packed ? 1 : field.align(abi)
      at = Math.ceil(at / align) * align
      offsets[fieldName] = at
      at += field.size(abi)
      widest = Math.max(widest, align)
    }
    const made = { size: Math.ceil(at / widest) * widest, align: widest, offsets }
    compiled.set(key, made)
    return made
  }

  function read(cursor: Cursor, abi: Abi, version = Number.POSITIVE_INFINITY): Of<Struct<F>> {
    const { size, offsets } = layout(abi)
    const start = cursor.position
    const part = new Cursor(cursor.take(size, name), abi.littleEndian, {
      file: cursor.file,
      base: cursor.base + start,
      what: cursor.what === '' ? name : cursor.what,
    })
    const value: Record<string, unknown> = {}
    for (const [fieldName, field] of entries) {
      if (field.since > version) continue
      part.position = offsets[fieldName] ?? 0
      value[fieldName] = field.read(part, abi, fieldName)
    }
    return value as Of<Struct<F>>
  }

  return {
    name,
    fields,
    layout: layout as Struct<F>['layout'],
    read,
    parse: (bytes, abi, origin, version) => read(new Cursor(bytes, abi.littleEndian, origin), abi, version),
    write(value, abi) {
      const { size, offsets } = layout(abi)
      const bytes = new Uint8Array(size)
      const view = new DataView(bytes.buffer)
      for (const [fieldName, field] of entries) {
        const given = (value as Record<string, unknown>)[fieldName]
        field.write(view, offsets[fieldName] ?? 0, abi, given ?? field.zero())
      }
      return bytes
    },
  }
}

type MaybeSince<T, O> = O extends { readonly since: number } ? T | undefined : T

function fieldOf<T>(type: FieldType<T>) {
  return <const O extends FieldOptions = FieldOptions>(doc: string, options?: O): Field<MaybeSince<T, O>> =>
    ({ ...type, doc, since: options?.since ?? 0 }) as unknown as Field<MaybeSince<T, O>>
}

function scalar<T>(
  bytes: number | ((abi: Abi) => number),
  read: (cursor: Cursor, abi: Abi, name: string) => T,
  write: (view: DataView, at: number, abi: Abi, value: T) => void,
  zero: T,
): FieldType<T> {
  const size = typeof bytes === 'number' ? () => bytes : bytes
  return {
    size,
    align: (abi) => (size(abi) === 8 ? abi.align64 : size(abi)),
    read,
    write,
    zero: () => zero,
  }
}

const signed = (value: number, bits: number) => (value << (32 - bits)) >> (32 - bits)

export const u8 = fieldOf(
  scalar(
    1,
    (c, _, n) => c.u8(n),
    (v, at, _, x: number) => v.setUint8(at, x),
    0,
  ),
)
export const u16 = fieldOf(
  scalar(
    2,
    (c, _, n) => c.u16(n),
    (v, at, abi, x: number) => v.setUint16(at, x, abi.littleEndian),
    0,
  ),
)
export const i16 = fieldOf(
  scalar(
    2,
    (c, _, n) => signed(c.u16(n), 16),
    (v, at, abi, x: number) => v.setInt16(at, x, abi.littleEndian),
    0,
  ),
)
export const u32 = fieldOf(
  scalar(
    4,
    (c, _, n) => c.u32(n),
    (v, at, abi, x: number) => v.setUint32(at, x, abi.littleEndian),
    0,
  ),
)
export const i32 = fieldOf(
  scalar(
    4,
    (c, _, n) => c.i32(n),
    (v, at, abi, x: number) => v.setInt32(at, x, abi.littleEndian),
    0,
  ),
)
/** 64 bits that must fit a safe integer: sizes, file offsets, physical addresses. */
export const u64 = fieldOf(
  scalar(
    8,
    (c, _, n) => c.u64(n),
    (v, at, abi, x: number) => v.setBigUint64(at, BigInt(x), abi.littleEndian),
    0,
  ),
)
/** 64 bits that may be anything: virtual addresses, registers, two's complement. Reads as a bigint ≥ 0. */
export const big64 = fieldOf(
  scalar(
    8,
    (c, _, n) => c.big64(n),
    (v, at, abi, x: bigint) => v.setBigUint64(at, BigInt.asUintN(64, x), abi.littleEndian),
    0n,
  ),
)
/** `unsigned long` of the dumped machine that must fit a safe integer. */
export const uword = fieldOf(
  scalar(
    (abi) => abi.wordBytes,
    (c, abi, n) => (abi.wordBytes === 8 ? c.u64(n) : c.u32(n)),
    (v, at, abi, x: number) =>
      abi.wordBytes === 8
        ? v.setBigUint64(at, BigInt(x), abi.littleEndian)
        : v.setUint32(at, x, abi.littleEndian),
    0,
  ),
)
/** `unsigned long` that may be anything. Reads as a bigint ≥ 0. */
export const bigword = fieldOf(
  scalar(
    (abi) => abi.wordBytes,
    (c, abi, n) => (abi.wordBytes === 8 ? c.big64(n) : BigInt(c.u32(n))),
    (v, at, abi, x: bigint) =>
      abi.wordBytes === 8
        ? v.setBigUint64(at, BigInt.asUintN(64, x), abi.littleEndian)
        : v.setUint32(at, Number(BigInt.asUintN(32, x)), abi.littleEndian),
    0n,
  ),
)

/** `n` raw bytes. */
export function raw(n: number, doc: string): Field<Uint8Array> {
  return fieldOf<Uint8Array>({
    size: () => n,
    align: () => 1,
    // A copy: slice() of a Buffer would share its bytes.
    read: (c, _, name) => Uint8Array.from(c.take(n, name)),
    write: (v, at, _, x) => new Uint8Array(v.buffer, v.byteOffset + at, n).set(x.subarray(0, n)),
    zero: () => new Uint8Array(n),
  })(doc)
}

/** `char[n]`, NUL-padded; reads up to the first NUL, bytes as Latin-1 so that nothing is lost. */
export function chars(n: number, doc: string): Field<string> {
  return fieldOf<string>({
    size: () => n,
    align: () => 1,
    read: (c, _, name) => {
      const bytes = c.take(n, name)
      const end = bytes.indexOf(0)
      return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1')
    },
    write: (v, at, _, x) =>
      new Uint8Array(v.buffer, v.byteOffset + at, n).set(Buffer.from(x, 'latin1').subarray(0, n)),
    zero: () => '',
  })(doc)
}

/** `T[n]` of another field. */
export function array<T>(n: number, item: Field<T>, doc: string): Field<readonly T[]> {
  return fieldOf<readonly T[]>({
    size: (abi) => n * item.size(abi),
    align: (abi) => item.align(abi),
    read: (c, abi, name) => {
      const start = c.position
      return Array.from({ length: n }, (_, i) => {
        c.position = start + i * item.size(abi)
        return item.read(c, abi, `${name}[${i}]`)
      })
    },
    write: (v, at, abi, x) => {
      for (let i = 0; i < n; i++) item.write(v, at + i * item.size(abi), abi, x[i] ?? item.zero())
    },
    zero: () => [],
  })(doc)
}

/** A struct inside a struct. */
export function nested<F extends AnyFields>(inner: Struct<F>, doc: string): Field<Of<Struct<F>>> {
  return fieldOf<Of<Struct<F>>>({
    size: (abi) => inner.layout(abi).size,
    align: (abi) => inner.layout(abi).align,
    read: (c, abi) => inner.read(c, abi),
    write: (v, at, abi, x) => {
      const bytes = inner.write(x, abi)
      new Uint8Array(v.buffer, v.byteOffset + at, bytes.length).set(bytes)
    },
    zero: () => ({}) as Of<Struct<F>>,
  })(doc)
}
