// Which pages a filter keeps: one pass over the struct pages of the pages that the dump holds. Takes
// time in proportion to their number and memory for one bitmap and one piece of struct pages.

import { hex, type Pfn } from '../address.ts'
import type { Bitmap } from '../bitmap.ts'
import { DumpError, type Warning } from '../errors.ts'
import type { Ranges } from '../ranges.ts'
import type { DumpPages } from './dump-pages.ts'
import type { Kernel } from './kernel.ts'
import { type MemMap, type MemSection, readMemMap } from './mem-map.ts'
import { never, type PageFields, readPageFields } from './page-fields.ts'
import { levelBits, makeBlockSize, makePageKindTest, type PageKind } from './page-kind.ts'
import { type MapDamage, MapSanity } from './page-sanity.ts'
import { StructPages } from './struct-pages.ts'

export interface ClassifyOptions {
  /** Dump level, 0 to 31; bit 0 (zero pages) is of no concern here. */
  readonly level: number
  readonly pages: DumpPages
  /** Leave out what makedumpfile leaves out, also where it is known to be wrong. */
  readonly likeMakedumpfile?: boolean
}

/** Pages left out, by the reason. */
export interface PageCounts {
  readonly cache: number
  readonly cachePrivate: number
  readonly user: number
  /** Unaccepted memory included. */
  readonly free: number
  readonly hwpoison: number
  readonly offline: number
}

export interface Classification {
  /** Pages to copy, zero pages included; `maxMapnr` bits. */
  readonly keep: Bitmap
  readonly counts: PageCounts
  /** Page after the last one of the output: the highest that has a struct page. */
  readonly maxMapnr: Pfn
  readonly seen: SeenRecords
  /** The memory map was overwritten in places; undefined when it was not. */
  readonly damage: MapDamage | undefined
  readonly warnings: readonly Warning[]
}

/** What the pass met. Of an excluded block only the first struct page is looked at. */
interface SeenRecords {
  readonly examined: number
  /** Examined tails of compound pages: those of heads that are kept. */
  readonly tails: number
  /** Records that no kernel can have written; their pages are kept. */
  readonly impossible: number
  /** Records that are not in the dump; their pages are kept. */
  readonly unreadable: number
  /** Free blocks of an order that does not exist; their pages are kept. */
  readonly badOrders: number
}

/** Code of the warning that goes with `damage`. */
export const structPagesDamaged = 'STRUCT_PAGES_DAMAGED'

/**
 * @throws {KernelError} the kernel does not say enough to find and read struct pages; at levels 0 and 1
 * that is a warning, because they work without.
 */
export function classifyPages(kernel: Kernel, options: ClassifyOptions): Classification {
  if ((options.level & ~levelBits.zero) !== 0) return walk(kernel, options)
  try {
    return walk(kernel, options)
  } catch (error) {
    if (!(error instanceof DumpError)) throw error
    const message = `offline and broken pages cannot be told from others: ${error.message}`
    return { ...withoutWalk(options.pages), warnings: [{ code: 'NO_STRUCT_PAGES', message }] }
  }
}

/** Every page that is there: levels 0 and 1 of a dump without VMCOREINFO. */
export function withoutWalk({ dumpable }: DumpPages): Classification {
  return {
    keep: dumpable.clone(),
    counts: countsOf(new Map()),
    maxMapnr: dumpable.length,
    seen: { examined: 0, tails: 0, impossible: 0, unreadable: 0, badOrders: 0 },
    damage: undefined,
    warnings: [],
  }
}

function walk(kernel: Kernel, options: ClassifyOptions): Classification {
  const { level, likeMakedumpfile = false, pages } = options
  const fields = readPageFields(kernel.vmcoreinfo, kernel.arch, likeMakedumpfile)
  const memMap = readMemMap(kernel)
  const keep = pages.dumpable.first(memMap.endPfn)
  const left = new Map<PageKind, number>()
  const seen = { examined: 0, tails: 0, impossible: 0, unreadable: 0, badOrders: 0 }

  const records = new StructPages(kernel, memMap)
  const kindOf = makePageKindTest(fields, { level, likeMakedumpfile })
  const blockSize = makeBlockSize(fields, { level, likeMakedumpfile }, kernel.pageSize)
  const sanity = new MapSanity(kernel, fields, records, ({ kind, start, end }) => {
    left.set(kind, (left.get(kind) ?? 0) + keep.clearRange(start, end))
  })

  /** Where the record after that of a compound page's head begins, -1 when it is no use. */
  function firstTail(at: number, pfn: Pfn): number {
    if ((records.view.getUint32(at + fields.flags, fields.littleEndian) & fields.flag.head) === 0) return -1
    const next = pfn + 1 < records.end ? records.offsetOf(pfn + 1) : -1
    return next >= 0 && sanity.isTail(next, pfn + 1) ? next : -1
  }

  forEachStored(pages.stored, memMap, keep.length, (section, pfn) => {
    records.makeCurrent(section, pfn)
    const at = records.offsetOf(pfn)
    if (at < 0) {
      seen.unreadable++
      return 1
    }
    seen.examined++
    if (!sanity.visit(at, pfn)) return 1
    const next = firstTail(at, pfn)
    const kind = kindOf(records.view, at, next)
    if (kind === 'tail') seen.tails++
    if (kind === 'tail' || kind === 'kernel') return 1
    const size = blockSize(kind, records.view, at, next, pfn)
    if (size === 0) {
      seen.badOrders++
      return 1
    }
    sanity.decide(kind, pfn, pfn + size)
    return size
  })
  const damage = sanity.finish(keep)
  seen.impossible = sanity.impossible
  const warnings = warningsOf(fields, level, seen, damage)
  return { keep, counts: countsOf(left), maxMapnr: keep.length, seen, damage, warnings }
}

/** Visit the stored pages that have a struct page; `visit` returns how many pages it has dealt with. */
function forEachStored(
  stored: Bitmap,
  memMap: MemMap,
  endPfn: Pfn,
  visit: (section: MemSection, pfn: Pfn) => number,
): void {
  for (const section of memMap.sections) {
    const end = Math.min(section.endPfn, endPfn)
    for (let pfn = stored.next(section.firstPfn); pfn >= 0 && pfn < end; pfn = stored.next(pfn)) {
      const runEnd = Math.min(stored.nextClear(pfn), end)
      while (pfn < runEnd) pfn += visit(section, pfn)
    }
  }
}

function countsOf(left: ReadonlyMap<PageKind, number>): PageCounts {
  const count = (kind: PageKind) => left.get(kind) ?? 0
  return {
    cache: count('cache'),
    cachePrivate: count('cachePrivate'),
    user: count('user'),
    free: count('free') + count('unaccepted'),
    hwpoison: count('hwpoison'),
    offline: count('offline'),
  }
}

function warningsOf(
  fields: PageFields,
  level: number,
  seen: SeenRecords,
  damage: MapDamage | undefined,
): Warning[] {
  const warnings: Warning[] = []
  const add = (code: string, message: string) => warnings.push({ code, message })
  if (damage !== undefined) {
    add(
      structPagesDamaged,
      `the memory map was overwritten (${seen.impossible} struct pages make no sense; physical ${listed(damage.map)}): ` +
        `${damage.pages} pages cannot be judged and are kept (page frames ${listed(damage.pfns)})`,
    )
  } else if (seen.impossible > 0) {
    add('STRUCT_PAGES_ODD', `${seen.impossible} struct pages make no sense; their pages are kept`)
  }
  if (seen.unreadable > 0) {
    add('STRUCT_PAGES_MISSING', `${seen.unreadable} struct pages are not in the dump; their pages are kept`)
  }
  if (seen.badOrders > 0) {
    add('FREE_ORDER', `${seen.badOrders} free blocks have an impossible order; they are kept`)
  }
  if ((level & levelBits.free) !== 0 && fields.type.buddy === never) {
    add('NO_BUDDY', 'VMCOREINFO does not say how to tell free pages; they are kept')
  }
  return warnings
}

/** The first few; all that are known are in the value. */
function listed(ranges: Ranges): string {
  const shown = ranges.slice(0, 4).map(({ start, end }) => `${hex(start)}-${hex(end)}`)
  return [...shown, ...(ranges.length > shown.length ? ['…'] : [])].join(', ')
}
