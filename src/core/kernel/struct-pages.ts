// Struct pages in pieces of about a MiB, one piece at a time, as bytes: a machine may have more of them
// than memory here. A piece begins at a multiple of its size, so that a compound page and its tails are
// in one, unless it is larger.

import type { Pfn, VirtAddr } from '../address.ts'
import { FaultError } from '../errors.ts'
import type { Kernel } from './kernel.ts'
import type { MemMap, MemSection } from './mem-map.ts'

/** Struct pages read at once. */
const pagesPerPiece = 16384

export class StructPages {
  /** Of the current piece. */
  readonly view: DataView
  first: Pfn = 0
  end: Pfn = 0
  /** Section of the current piece. */
  section: MemSection = { firstPfn: 0, endPfn: 0, structPages: 0n }
  /** Its structPages, in halves: loops over pages do without bigints. */
  baseLow = 0
  baseHigh = 0
  readonly size: number
  readonly #kernel: Kernel
  readonly #bytes: Uint8Array
  /** For each guest page of the piece whether it could be read; undefined when all could. */
  #readable: boolean[] | undefined
  /** Bytes of the guest page in front of the piece's first struct page. */
  #lead = 0

  constructor(kernel: Kernel, memMap: MemMap) {
    this.size = memMap.structPageSize
    this.#kernel = kernel
    this.#bytes = new Uint8Array(pagesPerPiece * this.size)
    this.view = new DataView(this.#bytes.buffer)
  }

  /** Make the piece current that holds `pfn`, a page of `section`. */
  makeCurrent(section: MemSection, pfn: Pfn): void {
    if (pfn < this.first || pfn >= this.end) this.#load(section, pfn)
  }

  #load(section: MemSection, pfn: Pfn): void {
    const aligned = pfn - (pfn % pagesPerPiece)
    this.section = section
    this.baseLow = Number(section.structPages & 0xffffffffn)
    this.baseHigh = Number(section.structPages >> 32n)
    this.first = Math.max(aligned, section.firstPfn)
    this.end = Math.min(aligned + pagesPerPiece, section.endPfn)
    const address = section.structPages + BigInt(this.first - section.firstPfn) * BigInt(this.size)
    const bytes = this.#bytes.subarray(0, (this.end - this.first) * this.size)
    this.#readable = undefined
    if (!this.#tryRead(address, bytes)) this.#readPages(address, bytes)
  }

  /** Where the struct page of `pfn`, a page of the piece, begins in `view`; -1 when it cannot be read. */
  offsetOf(pfn: Pfn): number {
    const at = (pfn - this.first) * this.size
    return this.#readable === undefined || this.#isReadable(at, this.#readable) ? at : -1
  }

  #isReadable(at: number, readable: readonly boolean[]): boolean {
    const { pageSize } = this.#kernel
    const from = Math.floor((this.#lead + at) / pageSize)
    const to = Math.floor((this.#lead + at + this.size - 1) / pageSize)
    return readable[from] === true && readable[to] === true
  }

  /** Guest page by guest page, keeping in mind which were there. */
  #readPages(address: VirtAddr, bytes: Uint8Array): void {
    const { pageSize } = this.#kernel
    this.#lead = Number(address & BigInt(pageSize - 1))
    this.#readable = []
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(at + pageSize - ((this.#lead + at) % pageSize), bytes.length)
      this.#readable.push(this.#tryRead(address + BigInt(at), bytes.subarray(at, end)))
      at = end
    }
  }

  #tryRead(address: VirtAddr, bytes: Uint8Array): boolean {
    try {
      this.#kernel.memory.read(address, bytes)
      return true
    } catch (error) {
      if (error instanceof FaultError) return false
      throw error
    }
  }
}
