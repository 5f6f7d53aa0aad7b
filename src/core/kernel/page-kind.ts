// What a page is used for, as its struct page tells. The order of the tests matters, because the same
// bytes mean different things in different kinds of page, and because a kind that nobody asked to leave
// out does not count. Source: makedumpfile.c, __exclude_unnecessary_pages.

import { never, type PageFields } from './page-fields.ts'

/**
 * kernel: none of the others · tail: decided by the head of its compound page · cache: page cache ·
 * cachePrivate: page cache with file system data attached · user: anonymous or hugetlb · free: in the
 * buddy allocator, this page and a power of two · unaccepted: not yet taken from the hypervisor ·
 * hwpoison: broken memory · offline: given back to the hypervisor
 */
export type PageKind =
  | 'kernel'
  | 'tail'
  | 'cache'
  | 'cachePrivate'
  | 'user'
  | 'free'
  | 'unaccepted'
  | 'hwpoison'
  | 'offline'

/** Bits of a dump level, as makedumpfile has them. */
export const levelBits = { zero: 1, cache: 2, cachePrivate: 4, user: 8, free: 16 } as const
export const highestLevel = 31

/** Reference counts of user mappings are not below; types are (PAGE_MAPCOUNT_RESERVE). */
const lowestMapcount = -128
/** Largest compound page: hugetlb of 16 GiB. */
const largestBlockBytes = 2 ** 34

export interface PageKindOptions {
  /** Kinds to tell apart: a kind whose bit is not set is passed over, and the tests after it count. */
  readonly level: number
  /** Judge as makedumpfile does where it is known to be wrong. */
  readonly likeMakedumpfile: boolean
}

/**
 * The test for records of one dump: `at` is where the struct page begins in `view`, `next` where the
 * following one does, -1 when it is not there.
 */
export type PageKindTest = (view: DataView, at: number, next: number) => PageKind

export function makePageKindTest(fields: PageFields, options: PageKindOptions): PageKindTest {
  const { level } = options
  const { littleEndian, flags: flagsAt, mapcount: mapcountAt, compoundLow, flag } = fields
  const { slab: slabType, buddy, unaccepted, offline } = fields.type
  const wantsFree = (level & levelBits.free) !== 0
  const wantsCache = (level & (levelBits.cache | levelBits.cachePrivate)) !== 0
  const wantsCachePrivate = (level & levelBits.cachePrivate) !== 0
  const wantsUser = (level & levelBits.user) !== 0
  const isAnonymous = makeAnonymousTest(fields, options)
  const isHugetlb = makeHugetlbTest(fields)

  return (view, at, next) => {
    if (compoundLow !== undefined && (view.getUint32(at + compoundLow, littleEndian) & 1) !== 0) return 'tail'
    const flags = view.getUint32(at + flagsAt, littleEndian)
    const mapcount = view.getInt32(at + mapcountAt, littleEndian)
    const slab = (flags & flag.slab) !== 0 || (mapcount & slabType.mask) === slabType.value
    if (wantsFree && !slab && (mapcount & buddy.mask) === buddy.value) return 'free'
    if (wantsFree && (mapcount & unaccepted.mask) === unaccepted.value) return 'unaccepted'
    const anonymous = !slab && isAnonymous(view, at, mapcount)
    if (wantsCache && !anonymous && isCache(flags, flag)) {
      if ((flags & flag.private) === 0) return 'cache'
      if (wantsCachePrivate) return 'cachePrivate'
    }
    if (wantsUser && (anonymous || isHugetlb(view, flags, mapcount, next))) return 'user'
    if ((flags & flag.poisoned) !== 0) return 'hwpoison'
    if (!slab && (mapcount & offline.mask) === offline.value) return 'offline'
    return 'kernel'
  }
}

/** On an LRU list, or in the swap cache, whose flag means that only beside PG_swapbacked. */
const isCache = (flags: number, flag: PageFields['flag']): boolean =>
  (flags & flag.lru) !== 0 ||
  ((flags & flag.swapCache) !== 0 && (flag.swapBacked === 0 || (flags & flag.swapBacked) !== 0))

/**
 * Bit 0 of page.mapping. Other users of that slot may have it set by chance: a page with a type is
 * none of a process's, and what is left must be the address of a kernel structure.
 */
function makeAnonymousTest(fields: PageFields, { likeMakedumpfile }: PageKindOptions) {
  const { littleEndian, mappingLow, mappingHigh, lowestMappingHigh } = fields
  return (view: DataView, at: number, mapcount: number): boolean => {
    if ((view.getUint32(at + mappingLow, littleEndian) & 1) === 0) return false
    if (likeMakedumpfile) return true
    return mapcount >= lowestMapcount && view.getUint32(at + mappingHigh, littleEndian) >= lowestMappingHigh
  }
}

/** A type of the head since Linux 6.9; before that the second struct page tells. */
function makeHugetlbTest({ littleEndian, flags: flagsAt, flag, type, hugetlbFlag, hugetlbByte }: PageFields) {
  const { hugetlb } = type
  return (view: DataView, flags: number, mapcount: number, next: number): boolean => {
    if ((mapcount & hugetlb.mask) === hugetlb.value) return true
    if (hugetlb !== never || next < 0 || (flags & flag.head) === 0) return false
    if (hugetlbFlag !== 0) return (view.getUint32(next + flagsAt, littleEndian) & hugetlbFlag) !== 0
    return hugetlbByte !== undefined && view.getUint8(next + hugetlbByte.at) === hugetlbByte.value
  }
}

/** How many pages, from `pfn` on, a record of `kind` speaks for; 0 when it says something impossible. */
export type BlockSize = (kind: PageKind, view: DataView, at: number, next: number, pfn: number) => number

export function makeBlockSize(fields: PageFields, options: PageKindOptions, pageSize: number): BlockSize {
  const { littleEndian, privateLow, privateHigh, freeOrders, flags: flagsAt, flag, orderByte } = fields
  const highestOrder = options.likeMakedumpfile ? 63 : Math.log2(largestBlockBytes / pageSize)
  return (kind, view, at, next, pfn) => {
    if (kind === 'unaccepted') return freeOrders === 0 ? 0 : 2 ** (freeOrders - 1)
    if (kind === 'free') {
      const order = view.getUint32(at + privateLow, littleEndian)
      return order < freeOrders && view.getUint32(at + privateHigh, littleEndian) === 0 ? 2 ** order : 0
    }
    const isHead = (view.getUint32(at + flagsAt, littleEndian) & flag.head) !== 0
    if (!isHead || next < 0 || orderByte === undefined) return 1
    const order = view.getUint8(next + orderByte)
    return order <= highestOrder && pfn % 2 ** order === 0 ? 2 ** order : 1
  }
}
