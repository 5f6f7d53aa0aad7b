// Page tables as hardware and kernel lay them out, written into a GuestMemory. Entries are put together
// here from the architecture manuals' bits, not by the code under test.

import type { GuestMemory } from './guest-memory.ts'

export interface Geometry {
  /** Lowest index bit of each level, top first. */
  readonly shifts: readonly number[]
  /** Highest address bit that the top level indexes. */
  readonly addressBits: number
  readonly littleEndian: boolean
  /** An entry of the level at bit `shift`. */
  table(address: bigint, shift: number): bigint
  leaf(address: bigint, shift: number): bigint
  /** What a table of the level at bit `shift` is filled with; by default zeros. */
  empty?(shift: number): bigint
}

const bit = (n: number): bigint => 1n << BigInt(n)

/** Intel SDM volume 3, 4.5: present, writable, accessed, dirty; bit 7 marks a huge page. */
export const x86Geometry = (levels: 4 | 5, encryption = 0n): Geometry => ({
  shifts: [48, 39, 30, 21, 12].slice(5 - levels),
  addressBits: levels === 5 ? 57 : 48,
  littleEndian: true,
  table: (address) => address | 0x63n | encryption,
  leaf: (address, shift) => address | 0x63n | bit(63) | encryption | (shift > 12 ? 0x80n : 0n),
})

/** Power ISA 3.0 radix: valid is bit 63, leaf bit 62, the size of the next table in the low bits. */
export const radixGeometry = (pageSize: 4096 | 65536): Geometry => ({
  shifts: pageSize === 65536 ? [39, 30, 21, 16] : [39, 30, 21, 12],
  addressBits: 52,
  littleEndian: false,
  table: (address) => address | bit(63) | 9n,
  leaf: (address) => address | bit(63) | bit(62) | 0x18en,
})

/** Linux tables under the hash MMU: a table's entry is its bare address. */
export const hashGeometry: Geometry = {
  shifts: [44, 34, 24, 16],
  addressBits: 52,
  littleEndian: false,
  table: (address) => address,
  leaf: (address) => address | bit(63) | bit(62) | 0x105n,
}

/** Arm ARM D8.3: type in bits 1:0, access flag bit 10, inner shareable (bits 9:8) without LPA2. */
export function arm64Geometry(pageShift: 12 | 14 | 16, addressBits: number, lpa2 = false): Geometry {
  const shifts: number[] = []
  for (let shift = pageShift; shift < addressBits; shift += pageShift - 3) shifts.unshift(shift)
  const field = (address: bigint): bigint => {
    if (lpa2) return (address & (bit(50) - 1n)) | ((address >> 50n) << 8n)
    if (pageShift === 16) return (address & (bit(48) - 1n)) | ((address >> 48n) << 12n)
    return address
  }
  const shared = lpa2 ? 0n : 0x300n
  return {
    shifts,
    addressBits,
    littleEndian: true,
    table: (address) => field(address) | 3n,
    leaf: (address, shift) => field(address) | (shift === pageShift ? 3n : 1n) | bit(10) | bit(54) | shared,
  }
}

/** RISC-V privileged 12.4: V, R, W, A, D, G; the page number stands in bits 53 to 10. */
export const riscvGeometry = (levels: 3 | 4 | 5): Geometry => ({
  shifts: [48, 39, 30, 21, 12].slice(5 - levels),
  addressBits: 12 + 9 * levels,
  littleEndian: true,
  table: (address) => ((address >> 12n) << 10n) | 1n,
  leaf: (address) => ((address >> 12n) << 10n) | 0xe7n,
})

/**
 * z/Architecture Principles of Operation, 3-44: tables tell their type in bits 3:2 and their length in
 * bits 1:0, the bit 0x20 makes an entry invalid and 0x400 a leaf; of a page table entry it is 0x400.
 */
export function s390xGeometry(topTable: 'region3' | 'region2' | 'region1'): Geometry {
  const shifts = [53, 42, 31, 20, 12].slice({ region1: 0, region2: 1, region3: 2 }[topTable])
  const type = (shift: number): bigint => ({ 53: 0xcn, 42: 8n, 31: 4n })[shift] ?? 0n
  const length = (shift: number): bigint => (shift > 20 ? 3n : 0n)
  return {
    shifts,
    addressBits: Math.min(64, 11 + (shifts[0] as number)),
    littleEndian: false,
    table: (address, shift) => address | type(shift) | length(shift),
    leaf: (address, shift) => address | (shift === 12 ? 0x3dn : 0x400n | type(shift)),
    empty: (shift) => (shift === 12 ? 0x400n : 0x20n | type(shift)),
  }
}

export class PageTableBuilder {
  readonly root: number
  readonly #memory: GuestMemory
  readonly #geometry: Geometry
  /** Physical address of the table for a prefix of the virtual address. */
  readonly #tables = new Map<string, number>()
  #next: number

  /** Tables are put from `root` on, the first one being the top. */
  constructor(memory: GuestMemory, geometry: Geometry, root: number) {
    this.root = root
    this.#memory = memory
    this.#geometry = geometry
    this.#next = root + 65536
    this.#clear(root, 0)
  }

  #clear(table: number, depth: number): void {
    const { shifts, addressBits, empty, littleEndian } = this.#geometry
    const shift = shifts[depth] as number
    const entry = empty?.(shift)
    if (entry === undefined) return
    const count = 2 ** ((depth === 0 ? addressBits : (shifts[depth - 1] as number)) - shift)
    for (let i = 0; i < count; i++) this.#memory.writeU64(table + 8 * i, entry, littleEndian)
  }

  /** Where the entry of `shift` for `virtual` stands; makes the tables down to it. */
  entryAddress(virtual: bigint, shift: number): number {
    const { shifts, addressBits, littleEndian } = this.#geometry
    let table = this.root
    let top = addressBits
    for (const level of shifts) {
      const index = BigInt.asUintN(top - level, virtual >> BigInt(level))
      const at = table + Number(index) * 8
      if (level === shift) return at
      const key = `${level}/${virtual >> BigInt(level)}`
      let next = this.#tables.get(key)
      if (next === undefined) {
        next = this.#next
        this.#next += 65536
        this.#tables.set(key, next)
        this.#clear(next, shifts.indexOf(level) + 1)
        this.#memory.writeU64(at, this.#geometry.table(BigInt(next), level), littleEndian)
      }
      table = next
      top = level
    }
    throw new Error(`no level at bit ${shift}`)
  }

  /** Map 2^shift bytes. */
  map(virtual: bigint, physical: number | bigint, shift: number): void {
    const entry = this.#geometry.leaf(BigInt(physical), shift)
    this.#memory.writeU64(this.entryAddress(virtual, shift), entry, this.#geometry.littleEndian)
  }
}
