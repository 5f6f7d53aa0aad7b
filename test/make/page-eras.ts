// How kernels of different times write a struct page, put down from the kernels' sources
// (include/linux/{mm_types,page-flags}.h) and what their VMCOREINFO says of it.

/** Bit numbers and words of one era. */
export interface PageEra {
  readonly name: string
  /** The newest kernel of the era. */
  readonly release: string
  readonly numbers: Readonly<Record<string, number>>
  readonly offsets: Readonly<Record<string, number>>
  readonly flags: {
    readonly lru: number
    readonly private: number
    readonly swapCache: number
    readonly swapBacked: number
    readonly head: number
    readonly poisoned: number
    readonly waiters: number
    /** undefined: slab is a type. */
    readonly slab?: number
  }
  /** _mapcount of a page of the type. */
  readonly types: Readonly<Partial<Record<PageType, number>>>
  /** What the second struct page of a compound page has. */
  readonly second: 'dtor and order' | 'order in flags'
  /** Bit of the second struct page's flags that marks hugetlb, as an era had it. */
  readonly hugetlbFlag?: number
  /** The tail's word is a mask of ones down to the compound page's size, and not the head's address. */
  readonly compoundMask?: boolean
}

export type PageType = 'buddy' | 'offline' | 'slab' | 'hugetlb' | 'table' | 'zsmalloc' | 'unaccepted'

const common = {
  'page.flags': 0,
  'page.lru': 8,
  'page.mapping': 24,
  'page.private': 40,
  'page._mapcount': 48,
  'page._refcount': 52,
}
const headEra = { ...common, 'page.compound_head': 8 }
const infoEra = { ...common, 'page.compound_info': 8 }

/** The enum before Linux 6.6: locked error referenced uptodate dirty lru active workingset waiters … */
const oldFlags = {
  lru: 4,
  private: 13,
  swapCache: 10,
  swapBacked: 19,
  head: 16,
  poisoned: 23,
  waiters: 7,
  slab: 9,
}
/** Since Linux 6.6 head is bit 6, waiters bit 7. */
const newFlags = {
  lru: 5,
  private: 14,
  swapCache: 10,
  swapBacked: 17,
  head: 6,
  poisoned: 21,
  waiters: 7,
}

const flagNumbers = (flags: PageEra['flags']) => ({
  PG_lru: flags.lru,
  PG_private: flags.private,
  PG_swapcache: flags.swapCache,
  PG_swapbacked: flags.swapBacked,
  PG_hwpoison: flags.poisoned,
  PG_head_mask: 2 ** flags.head,
  ...(flags.slab === undefined ? {} : { PG_slab: flags.slab }),
})

const exported: readonly PageType[] = ['buddy', 'offline', 'slab', 'hugetlb', 'unaccepted']

const typeNumbers = (types: PageEra['types'], names = exported) =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = types[name]
      return value === undefined ? [] : [[`PAGE_${name.toUpperCase()}_MAPCOUNT_VALUE`, value]]
    }),
  )

/** ~0x80 and so on, as a signed int. */
const bitTypes = { buddy: ~0x80, offline: ~0x100, table: ~0x200 }
const highTypes = {
  buddy: ~0x40000000,
  offline: ~0x20000000,
  table: ~0x10000000,
  zsmalloc: ~0x08000000,
  hugetlb: ~0x04000000,
  slab: ~0x02000000,
}
const byteTypes = {
  buddy: 0xf0000000 | 0,
  offline: 0xf1000000 | 0,
  table: 0xf2000000 | 0,
  hugetlb: 0xf4000000 | 0,
  slab: 0xf5000000 | 0,
  zsmalloc: 0xf6000000 | 0,
}

function era(
  name: string,
  given: Omit<PageEra, 'name' | 'release' | 'numbers'> & { numbers?: PageEra['numbers'] },
): PageEra {
  const numbers = { ...flagNumbers(given.flags), ...typeNumbers(given.types), ...given.numbers }
  const release = `${/[\d.]+(?=\D*$)/.exec(name)?.[0]}.0`
  return { ...given, name, release, numbers }
}

export const pageEras: readonly PageEra[] = [
  era('4.18', {
    flags: oldFlags,
    types: { buddy: ~0x80 },
    offsets: { ...headEra, 'page.compound_dtor': 16, 'page.compound_order': 17 },
    numbers: { HUGETLB_PAGE_DTOR: 2 },
    second: 'dtor and order',
  }),
  era('5.1 to 6.2', {
    flags: oldFlags,
    types: bitTypes,
    offsets: { ...headEra, 'page.compound_dtor': 16, 'page.compound_order': 17 },
    numbers: { HUGETLB_PAGE_DTOR: 2 },
    second: 'dtor and order',
  }),
  era('6.3 to 6.5', {
    flags: oldFlags,
    types: bitTypes,
    offsets: { ...headEra, 'folio._folio_dtor': 64 + 16, 'folio._folio_order': 64 + 17 },
    numbers: { HUGETLB_PAGE_DTOR: 2 },
    second: 'dtor and order',
  }),
  era('6.6 to 6.8', {
    flags: { ...newFlags, slab: 9 },
    types: bitTypes,
    offsets: headEra,
    numbers: { PG_hugetlb: 8 },
    second: 'order in flags',
    hugetlbFlag: 8,
  }),
  era('6.9', {
    flags: { ...newFlags, slab: 9 },
    types: { ...bitTypes, hugetlb: ~0x800 },
    offsets: headEra,
    second: 'order in flags',
  }),
  era('6.10', {
    flags: newFlags,
    types: { ...bitTypes, hugetlb: ~0x800, slab: ~0x1000 },
    offsets: headEra,
    second: 'order in flags',
  }),
  era('6.11', { flags: newFlags, types: highTypes, offsets: headEra, second: 'order in flags' }),
  era('6.12 to 6.15', { flags: newFlags, types: byteTypes, offsets: headEra, second: 'order in flags' }),
  era('6.16 to 7.0', {
    flags: newFlags,
    types: { ...byteTypes, unaccepted: 0xf7000000 | 0 },
    offsets: headEra,
    second: 'order in flags',
  }),
  era('7.1, heads by address', {
    flags: newFlags,
    types: byteTypes,
    offsets: infoEra,
    second: 'order in flags',
  }),
  era('7.1, heads by mask', {
    flags: newFlags,
    types: byteTypes,
    offsets: infoEra,
    second: 'order in flags',
    compoundMask: true,
  }),
]
