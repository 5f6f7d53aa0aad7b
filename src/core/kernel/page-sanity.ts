// Is this a struct page at all? Memory that firmware or a wild pointer overwrote still parses, and a
// filter that believes it throws the wrong pages away. Damage is local: whole pages of the memory map.
// So what the records of such a page say is done only when all of them have been looked at, and not at
// all when more than one is impossible. In an intact dump none is.

import type { Pfn } from '../address.ts'
import type { Bitmap } from '../bitmap.ts'
import { tryRead } from '../errors.ts'
import { makeRanges, type Range, type Ranges } from '../ranges.ts'
import type { Kernel } from './kernel.ts'
import type { MemSection } from './mem-map.ts'
import { never, type PageFields } from './page-fields.ts'
import type { PageKind } from './page-kind.ts'
import type { StructPages } from './struct-pages.ts'

/** A damaged memory map. */
export interface MapDamage {
  /** Pages that cannot be judged and are kept. */
  readonly pages: number
  /** Page frames that cannot be judged, the first stretches. */
  readonly pfns: Ranges
  /** Physical addresses of the damaged parts of the memory map, the first stretches. */
  readonly map: Ranges
}

/** Stretches that are told; more say nothing new to anybody. */
const mostStretches = 64

/** Pages [start, end) are to be left out for one reason. */
export interface Decision {
  readonly kind: PageKind
  readonly start: Pfn
  end: Pfn
}

/** Records are visited in the order of page frames. */
export class MapSanity {
  /** Records visited that no kernel can have written. */
  impossible = 0
  readonly #kernel: Kernel
  readonly #fields: PageFields
  readonly #records: StructPages
  readonly #isImpossible: ImpossibleTest
  readonly #carryOut: (decision: Decision) => void
  /** First page frame and section of the piece that the page of the map is in. */
  #piece: Pfn = -1
  #section: MemSection | undefined
  /** Where that page begins and ends, bytes into the piece. */
  #start = 0
  #end = 0
  #impossibleHere = 0
  readonly #decisions: Decision[] = []
  readonly #pfns: { readonly start: Pfn; end: Pfn }[] = []
  readonly #map: Range[] = []

  /** @param carryOut is called for decisions that can be believed */
  constructor(
    kernel: Kernel,
    fields: PageFields,
    records: StructPages,
    carryOut: (decision: Decision) => void,
  ) {
    this.#kernel = kernel
    this.#fields = fields
    this.#records = records
    this.#isImpossible = makeImpossibleTest(fields, records)
    this.#carryOut = carryOut
  }

  /** Visit the record of `pfn` at `at` of the current piece; false when it is not to be believed. */
  visit(at: number, pfn: Pfn): boolean {
    const isNext = at + this.#records.size > this.#end || this.#records.first !== this.#piece
    // Of a record across two pages a part is lost when the first of them is damaged.
    if (isNext && this.#enter(at) && at < this.#start) return false
    if (!this.#isImpossible(at, pfn)) return true
    this.impossible++
    this.#impossibleHere++
    return false
  }

  /** Is the record at `at` a tail that can be believed? The first tail says how large a compound page is. */
  isTail(at: number, pfn: Pfn): boolean {
    const { compoundLow, littleEndian } = this.#fields
    if (compoundLow === undefined) return true
    const isTail = (this.#records.view.getUint32(at + compoundLow, littleEndian) & 1) !== 0
    return isTail && !this.#isImpossible(at, pfn)
  }

  /** Leave out [start, end), if the page of the map that says so turns out to be sound. */
  decide(kind: PageKind, start: Pfn, end: Pfn): void {
    const last = this.#decisions.at(-1)
    if (last !== undefined && last.end === start && last.kind === kind) last.end = end
    else this.#decisions.push({ kind, start, end })
  }

  /** After the last record. `keep`: the pages that are kept. */
  finish(keep: Bitmap): MapDamage | undefined {
    this.#settle()
    if (this.#pfns.length === 0) return undefined
    return {
      pages: this.#pfns.reduce((sum, { start, end }) => sum + keep.count(start, end), 0),
      pfns: this.#pfns.slice(0, mostStretches),
      map: makeRanges(this.#map).slice(0, mostStretches),
    }
  }

  /** Begin the page of the map in which the record at `at` ends; was the one before it damaged? */
  #enter(at: number): boolean {
    const wasDamaged = this.#settle()
    const { first, section, baseLow, size } = this.#records
    const { pageSize } = this.#kernel
    const lead = (baseLow + (first - section.firstPfn) * size) % pageSize
    this.#piece = first
    this.#section = section
    this.#start = Math.floor((lead + at + size - 1) / pageSize) * pageSize - lead
    this.#end = this.#start + pageSize
    return wasDamaged
  }

  #settle(): boolean {
    const isDamaged = this.#impossibleHere > 1
    if (isDamaged) this.#addDamage()
    else for (const decision of this.#decisions) this.#carryOut(decision)
    this.#decisions.length = 0
    this.#impossibleHere = 0
    return isDamaged
  }

  #addDamage(): void {
    const { size } = this.#records
    const { firstPfn = 0, endPfn = 0, structPages = 0n } = this.#section ?? {}
    const start = Math.max(this.#piece + Math.floor(this.#start / size), firstPfn)
    const end = Math.min(this.#piece + Math.ceil(this.#end / size), endPfn)
    const last = this.#pfns.at(-1)
    if (last !== undefined && start <= last.end) last.end = end
    else this.#pfns.push({ start, end })
    if (this.#pfns.length > mostStretches) return
    const virtual = structPages + BigInt((this.#piece - firstPfn) * size + this.#start)
    const physical = tryRead(() => this.#kernel.memory.translate(virtual))
    if (physical !== undefined) this.#map.push({ start: physical, end: physical + this.#kernel.pageSize })
  }
}

/** Whether the record at `at` of the current piece, that of `pfn`, cannot be one that the kernel wrote. */
type ImpossibleTest = (at: number, pfn: Pfn) => boolean

const twoTo32 = 2 ** 32

function makeImpossibleTest(fields: PageFields, pages: StructPages): ImpossibleTest {
  const { littleEndian, compoundLow, flags: flagsAt, flag, refcount, mapcount, mapcountIsSmall } = fields
  const { privateLow, freeOrders, mostReferences, type } = fields
  const { buddy } = type
  const { view } = pages
  const hasHead = makeHeadTest(fields, pages)
  // Without a reference no page is mapped. All zero are pages that kernels before 5.12 had reserved;
  // those that have slab as a type do not leave struct pages zero.
  const isNeverZero = type.slab !== never
  return (at, pfn) => {
    const references = view.getInt32(at + refcount, littleEndian)
    if (references < 0 || references > mostReferences) return true
    if (compoundLow !== undefined && (view.getUint32(at + compoundLow, littleEndian) & 1) !== 0) {
      return !hasHead(at)
    }
    const mapped = view.getInt32(at + mapcount, littleEndian)
    const top = mapped >>> 24
    if (mapcountIsSmall && top >= 0x10 && top < 0xf0) return true
    const flags = view.getUint32(at + flagsAt, littleEndian)
    // Who takes a page off its list holds a reference; a free page has none, and its block is aligned.
    if ((flags & flag.lru) !== 0) return references === 0
    if ((mapped & buddy.mask) === buddy.value) {
      const order = view.getUint32(at + privateLow, littleEndian)
      return references !== 0 || (order < freeOrders && pfn % 2 ** order !== 0)
    }
    return references === 0 && mapped === 0 && (isNeverZero || flags !== 0)
  }
}

/** Whether the head that the tail at `at` names is a struct page with PG_head. */
function makeHeadTest(fields: PageFields, pages: StructPages) {
  const { littleEndian, compoundLow = 0, compoundHigh, flags, flag, size } = fields
  const { view } = pages
  if (flag.head === 0) return () => true
  return (at: number): boolean => {
    const low = view.getUint32(at + compoundLow, littleEndian) - 1
    const high = view.getUint32(at + compoundHigh, littleEndian)
    const { firstPfn, endPfn } = pages.section
    const inSection = (pages.first - firstPfn) * size + at
    const headAt = isMask(high, low)
      ? inSection - ((pages.baseLow + inSection) % (twoTo32 - low))
      : (high - pages.baseHigh) * twoTo32 + (low - pages.baseLow)
    const index = headAt / size
    if (index < 0 || !Number.isInteger(index) || index >= endPfn - firstPfn) return false
    const inPiece = firstPfn + index - pages.first
    if (inPiece < 0 || inPiece >= pages.end - pages.first) return true
    return (view.getUint32(inPiece * size + flags, littleEndian) & flag.head) !== 0
  }
}

/**
 * Since Linux 7.1 a kernel whose struct page is a power of two in size may store, instead of the
 * head's address, the mask that turns the tail's address into it: ones, then zeros.
 */
function isMask(high: number, low: number): boolean {
  const cleared = twoTo32 - low
  return high === 0xffffffff && cleared <= twoTo32 / 2 && (cleared & (cleared - 1)) === 0
}
