// Kernel virtual memory: a translation over physical memory. Reads cross pages; a page that is not
// mapped or not in the dump throws, it is never quietly zero.

import type { PhysAddr, VirtAddr } from '../address.ts'
import { FaultError } from '../errors.ts'
import type { PhysicalMemory } from './physical.ts'

/** A stretch of virtual memory that lies in physical memory in one piece. */
export interface Mapping {
  readonly start: VirtAddr
  /** First address after it; up to 2^64. */
  readonly end: VirtAddr
  /** Where `start` is. */
  readonly physical: PhysAddr
}

/** Virtual to physical. Made by an Arch. */
export interface Translation {
  /** What the architecture maps without asking its tables: all RAM in one piece, the kernel image. */
  readonly fixed: readonly Mapping[]
  /** What maps the byte at `address`, undefined when nothing does. @throws {FaultError} a table is missing. */
  map(address: VirtAddr): Mapping | undefined
  /** As `map`, but by the page tables alone, without what is known of the architecture's fixed areas. */
  walk(address: VirtAddr): Mapping | undefined
  /** The entries that `walk` looks at, from the top table down; the last one maps the address, or nothing. */
  trace?(address: VirtAddr): readonly WalkStep[]
}

export interface WalkStep {
  /** Of the table, as the kernel calls it: pgd, p4d, pud, pmd, pte. */
  readonly level: string
  /** Where the entry is. */
  readonly at: PhysAddr
  readonly entry: bigint
}

export class VirtualMemory {
  readonly physical: PhysicalMemory
  readonly pageSize: number
  readonly littleEndian: boolean
  readonly #translation: Translation
  /** The last mapping used: structures that belong together lie together. */
  #last: Mapping | undefined
  readonly #scratch = new Uint8Array(8)
  readonly #view = new DataView(this.#scratch.buffer)

  constructor(
    physical: PhysicalMemory,
    translation: Translation,
    options: { pageSize: number; littleEndian: boolean },
  ) {
    this.physical = physical
    this.pageSize = options.pageSize
    this.littleEndian = options.littleEndian
    this.#translation = translation
  }

  /** Areas that do not depend on page tables: all RAM in one piece, the kernel image. */
  get fixed(): readonly Mapping[] {
    return this.#translation.fixed
  }

  /** Physical address of the byte, undefined when nothing maps it. @throws {FaultError} a table is missing. */
  translate(address: VirtAddr): PhysAddr | undefined {
    const at = BigInt.asUintN(64, address)
    const mapping = this.#map(at)
    return mapping === undefined ? undefined : mapping.physical + Number(at - mapping.start)
  }

  /** The stretch around an address that lies in physical memory in one piece. @throws {FaultError} a table is missing. */
  mapping(address: VirtAddr): Mapping | undefined {
    return this.#map(BigInt.asUintN(64, address))
  }

  /** As translate, by the page tables alone. */
  walk(address: VirtAddr): PhysAddr | undefined {
    const at = BigInt.asUintN(64, address)
    const mapping = this.#translation.walk(at)
    return mapping === undefined ? undefined : mapping.physical + Number(at - mapping.start)
  }

  /** The page table entries for an address; empty where there are no such tables. @throws {FaultError} */
  trace(address: VirtAddr): readonly WalkStep[] {
    return this.#translation.trace?.(BigInt.asUintN(64, address)) ?? []
  }

  /** Fill `into` from `address`. @throws {FaultError} at the first byte not to be had. */
  read(address: VirtAddr, into: Uint8Array): void {
    let done = 0
    while (done < into.length) {
      const at = BigInt.asUintN(64, address + BigInt(done))
      const mapping = this.#map(at)
      if (mapping === undefined) throw new FaultError('virtual', at, into.length - done, 'unmapped')
      const length = Math.min(Number(mapping.end - at), into.length - done)
      const physical = mapping.physical + Number(at - mapping.start)
      this.physical.read(physical, into.subarray(done, done + length))
      done += length
    }
  }

  #map(address: VirtAddr): Mapping | undefined {
    const last = this.#last
    if (last !== undefined && address >= last.start && address < last.end) return last
    this.#last = this.#translation.map(address)
    return this.#last
  }

  bytes(address: VirtAddr, length: number): Uint8Array {
    const into = new Uint8Array(length)
    this.read(address, into)
    return into
  }

  u8(address: VirtAddr): number {
    return this.#load(address, 1).getUint8(0)
  }

  u16(address: VirtAddr): number {
    return this.#load(address, 2).getUint16(0, this.littleEndian)
  }

  u32(address: VirtAddr): number {
    return this.#load(address, 4).getUint32(0, this.littleEndian)
  }

  i32(address: VirtAddr): number {
    return this.#load(address, 4).getInt32(0, this.littleEndian)
  }

  /** Also for pointers and unsigned long of 64-bit targets. */
  u64(address: VirtAddr): bigint {
    return this.#load(address, 8).getBigUint64(0, this.littleEndian)
  }

  /** A C string of at most `limit` bytes, Latin-1 so that nothing is lost; ends early where memory ends. */
  string(address: VirtAddr, limit: number): string {
    let text = ''
    for (let i = 0; i < limit; ) {
      const at = address + BigInt(i)
      const length = Math.min(limit - i, 64 - Number(at & 63n))
      const part = this.bytes(at, length)
      const end = part.indexOf(0)
      text += Buffer.from(end < 0 ? part : part.subarray(0, end)).toString('latin1')
      if (end >= 0) break
      i += length
    }
    return text
  }

  #load(address: VirtAddr, length: number): DataView {
    this.read(address, this.#scratch.subarray(0, length))
    return this.#view
  }
}
