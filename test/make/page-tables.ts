// Page tables as hardware and kernel lay them out, written into a GuestMemory. Entries are put together
// here from the architecture manuals' bits, not by the code under test.

import type { GuestMemory } from './guest-memory.ts'

interface Geometry {
  /** Lowest index bit of each level, top first. */
  readonly shifts: readonly number[]
  /** Highest address bit that the top level indexes. */
  readonly addressBits: number
  readonly littleEndian: boolean
  table(address: bigint): bigint
  leaf(address: bigint, shift: number): bigint
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
        this.#memory.writeU64(at, this.#geometry.table(BigInt(next)), littleEndian)
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
