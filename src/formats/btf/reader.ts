// Types of a kernel or a module. One pass notes where each type's record starts; records become values
// only when asked for, so that the 5 MB of a distribution's kernel open in some milliseconds. A module's
// BTF is split: it goes on where the kernel's ends, in types and in names.
// Source: Linux kernel/bpf/btf.c, Documentation/bpf/btf.rst.

import { MiB } from '../../core/address.ts'
import { Cursor, type Origin } from '../../core/cursor.ts'
import { NameIndex, readName } from '../../core/name-index.ts'
import { type Abi, abi64be, abi64le } from '../../core/struct.ts'
import { type BtfHeader, type BtfKind, btfHeader, btfKinds, btfMagic, btfType } from './layout.ts'

/** Number of a type; 0 is void. */
export type TypeId = number

export interface BtfMember {
  /** Empty for an anonymous struct or union, whose members count as the outer one's. */
  readonly name: string
  readonly type: TypeId
  /** Bits from the start of the struct. */
  readonly bit: number
  /** Width of a bit field; undefined for other members. */
  readonly bits: number | undefined
}

export interface Enumerator {
  readonly name: string
  readonly value: bigint
}

/** Kernels have 3 to 12 MiB. */
export const maxBtfSize = 32 * MiB
const recordSize = btfType.layout(abi64le).size
/** Typedefs and qualifiers upon each other. */
const maxChain = 64

export class Btf {
  /** First type of its own, and the first after the last: all below `end` exist. */
  readonly start: TypeId
  readonly end: TypeId
  readonly #base: Btf | undefined
  readonly #littleEndian: boolean
  readonly #view: DataView
  /** Where each type's record starts in the view. */
  readonly #offsets: Uint32Array
  readonly #names: Uint8Array
  readonly #namesStart: number
  #indexes: readonly NameIndex[] | undefined

  /**
   * @param base the kernel's, when `bytes` are a module's
   * @throws {FormatError} not BTF, or damaged
   */
  constructor(bytes: Uint8Array, littleEndian: boolean, origin: Origin, base?: Btf) {
    const abi = littleEndian ? abi64le : abi64be
    const cursor = new Cursor(bytes, littleEndian, { what: 'BTF', ...origin })
    const header = readHeader(cursor, abi)
    const part = (offset: number, size: number, what: string): Uint8Array => {
      cursor.position = header.headerSize + offset
      return cursor.take(size, what)
    }
    const types = part(header.typeOffset, header.typeSize, 'types')
    this.#names = part(header.nameOffset, header.nameSize, 'names')
    this.#namesStart = base === undefined ? 0 : base.#namesStart + base.#names.length
    this.#base = base
    this.#littleEndian = littleEndian
    this.#view = new DataView(types.buffer, types.byteOffset, types.length)
    this.start = base === undefined ? 1 : base.end
    const where = { ...origin, base: (origin.base ?? 0) + header.headerSize + header.typeOffset }
    this.#offsets = findRecords(new Cursor(types, littleEndian, { what: 'BTF', ...where }))
    this.end = this.start + this.#offsets.length
  }

  kind(id: TypeId): BtfKind {
    return btfKinds[(this.#word(id, 1) >>> 24) & 31]?.name ?? 'void'
  }

  /** Empty when it has none. */
  name(id: TypeId): string {
    return this.#text(this.#word(id, 0))
  }

  /** Types of that name and kind, in order. Names are not unique, even among structs. */
  find(name: string, kinds: readonly BtfKind[]): TypeId[] {
    const found = this.#base?.find(name, kinds) ?? []
    this.#indexes ??= this.#indexNames()
    const own = this.#indexes.flatMap((index) => index.find(name).map((item) => item + this.start))
    return [...found, ...own.filter((id) => kinds.includes(this.kind(id))).sort((a, b) => a - b)]
  }

  /** The type without typedefs, qualifiers and tags; of a variable, its type. */
  resolve(id: TypeId): TypeId {
    let at = id
    for (let step = 0; step < maxChain && transparent.has(this.kind(at)); step++) at = this.#word(at, 2)
    return at
  }

  /** What a pointer points to. */
  target(id: TypeId): TypeId {
    return this.#word(id, 2)
  }

  array(id: TypeId): { readonly element: TypeId; readonly length: number } {
    return { element: this.#word(id, 3), length: this.#word(id, 5) }
  }

  /** Bytes; undefined for void, functions and types that are only declared. */
  size(id: TypeId): number | undefined {
    let length = 1
    let at = this.resolve(id)
    for (let step = 0; step < maxChain && this.kind(at) === 'array'; step++) {
      const array = this.array(at)
      length *= array.length
      at = this.resolve(array.element)
    }
    const kind = this.kind(at)
    const size = kind === 'pointer' ? pointerSize : sized.has(kind) ? this.#word(at, 2) : undefined
    return size !== undefined && Number.isSafeInteger(size * length) ? size * length : undefined
  }

  /** Of an int or enum: is it signed? */
  isSigned(id: TypeId): boolean {
    const at = this.resolve(id)
    return this.kind(at) === 'int' ? (this.#word(at, 3) & (1 << 24)) !== 0 : this.#flag(at)
  }

  /** Members of a struct or union; none of anything else. */
  *members(id: TypeId): Generator<BtfMember> {
    const at = this.resolve(id)
    if (!compound.has(this.kind(at))) return
    const hasBits = this.#flag(at)
    for (let i = 0, count = this.#count(at); i < count; i++) {
      const word = (n: number): number => this.#word(at, 3 + 3 * i + n)
      const type = word(1)
      const place = word(2)
      const field = hasBits
        ? { bit: place & 0xffffff, bits: place >>> 24 || undefined }
        : this.#oldField(type, place)
      yield { name: this.#text(word(0)), type, ...field }
    }
  }

  *enumerators(id: TypeId): Generator<Enumerator> {
    const kind = this.kind(id)
    const width = kind === 'enum64' ? 3 : kind === 'enum' ? 2 : 0
    if (width === 0) return
    // Signedness is told since Linux 6.0; before, enumerators were ints.
    for (let i = 0, count = this.#count(id); i < count; i++) {
      const at = 3 + width * i
      const low = BigInt(this.#word(id, at + 1))
      const value = width === 2 ? BigInt.asIntN(32, low) : low | (BigInt(this.#word(id, at + 2)) << 32n)
      yield { name: this.#text(this.#word(id, at)), value }
    }
  }

  /** Members that were bit fields before the flag existed have an int type that says so. */
  #oldField(type: TypeId, bit: number): Pick<BtfMember, 'bit' | 'bits'> {
    const at = this.resolve(type)
    if (this.kind(at) !== 'int') return { bit, bits: undefined }
    const encoding = this.#word(at, 3)
    const bits = encoding & 0xff
    const inside = (encoding >>> 16) & 0xff
    return bits === 8 * this.#word(at, 2) && inside === 0
      ? { bit, bits: undefined }
      : { bit: bit + inside, bits }
  }

  #count(id: TypeId): number {
    return this.#word(id, 1) & 0xffff
  }

  #flag(id: TypeId): boolean {
    return this.#word(id, 1) >>> 31 === 1
  }

  /** The n-th 32-bit word of a record; 0 for void and for what does not exist. */
  #word(id: TypeId, n: number): number {
    if (id < this.start) return this.#base === undefined ? 0 : this.#base.#word(id, n)
    const offset = this.#offsets[id - this.start]
    return offset === undefined ? 0 : this.#view.getUint32(offset + 4 * n, this.#littleEndian)
  }

  #text(offset: number): string {
    if (offset >= this.#namesStart) return readName(this.#names, offset - this.#namesStart)
    return this.#base === undefined ? '' : this.#base.#text(offset)
  }

  /** One for each pool: a module's type has a name of the kernel's pool when that has the word already. */
  #indexNames(): readonly NameIndex[] {
    const pools = [this.#base, this].flatMap((btf) =>
      btf === undefined ? [] : [{ bytes: btf.#names, start: btf.#namesStart }],
    )
    return pools.map(({ bytes, start }) => {
      const starts = Uint32Array.from(this.#offsets, (offset) => {
        const at = this.#view.getUint32(offset, this.#littleEndian) - start
        return at < 0 || at >= bytes.length ? bytes.length : at
      })
      return new NameIndex(bytes, starts)
    })
  }
}

const pointerSize = 8
const transparent: ReadonlySet<BtfKind> = new Set([
  'typedef',
  'volatile',
  'const',
  'restrict',
  'type tag',
  'variable',
])
const sized: ReadonlySet<BtfKind> = new Set(['int', 'struct', 'union', 'enum', 'enum64', 'float'])
export const compound: ReadonlySet<BtfKind> = new Set(['struct', 'union'])

function readHeader(cursor: Cursor, abi: Abi): BtfHeader {
  const header = btfHeader.read(cursor, abi)
  const expect = (field: string, at: number, isRight: boolean, expected: string, found: number): void => {
    if (!isRight) throw cursor.problem(field, { at, expected, found: `${found}` })
  }
  const { offsets, size } = btfHeader.layout(abi)
  const { magic, version, headerSize } = header
  expect('magic', offsets.magic, magic === btfMagic, `${btfMagic}`, magic)
  expect('version', offsets.version, version === 1, '1', version)
  expect(
    'headerSize',
    offsets.headerSize,
    headerSize >= size && headerSize <= 256,
    `${size} to 256`,
    headerSize,
  )
  return header
}

/** @throws {FormatError} a record is cut, or of a kind that does not exist: the next cannot be found */
function findRecords(cursor: Cursor): Uint32Array {
  const offsets = new Uint32Array(Math.floor(cursor.bytes.length / recordSize))
  let count = 0
  while (cursor.remaining > 0) {
    const at = cursor.position
    cursor.skip(4, 'type')
    const info = cursor.u32('info')
    const kind = btfKinds[(info >>> 24) & 31]
    if (kind === undefined || kind.name === 'void') {
      throw cursor.problem(`type ${count + 1}, kind`, {
        at,
        expected: `1 to ${btfKinds.length - 1}`,
        found: `${(info >>> 24) & 31}`,
      })
    }
    cursor.skip(4 + kind.fixed + kind.each * (info & 0xffff), kind.name)
    offsets[count++] = at
  }
  return offsets.slice(0, count)
}
