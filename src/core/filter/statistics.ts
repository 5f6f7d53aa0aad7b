// Where the pages went. The numbers add up: existing = kept + lost + missing + left out.

import type { NoSpaceError } from '../errors.ts'
import type { PageCounts } from '../kernel/classify-pages.ts'
import type { FilterPlan } from './plan.ts'

/** Pages. */
export interface PageStatistics extends PageCounts {
  /** Up to the highest page of the machine, holes included; `max_mapnr` of a kdump header. */
  readonly total: number
  /** That were RAM. */
  readonly existing: number
  /** Not in the source: left out by an earlier filter, or cut off. */
  readonly missing: number
  /** Left out because they hold only zeros. */
  readonly zero: number
  /** Left out because they hold only the struct pages of pages that are left out. */
  readonly structPages: number
  /** Should have been kept and could not be read; the output marks them. */
  readonly lost: number
  readonly kept: number
}

/** What an output found out while writing. */
export interface Written {
  /** Zero pages that were left out. */
  readonly zeroPages: number
  readonly lostPages: number
  /** Page frames that a reader of the output finds stored there. */
  readonly storedPages: number
  /** Length of the output, bytes. */
  readonly size: number
  /** Bytes that were written: without its unwritten parts, and all that a stream carries. */
  readonly writtenBytes: number
  /** The destination was full; pages from some address on are missing. */
  readonly full?: NoSpaceError | undefined
}

export const makeStatistics = (
  plan: FilterPlan,
  { zeroPages, lostPages }: Pick<Written, 'zeroPages' | 'lostPages'>,
): PageStatistics => ({
  total: plan.maxMapnr,
  existing: plan.existing.count(),
  missing: plan.missing,
  zero: zeroPages,
  ...plan.counts,
  structPages: plan.unusedStructPages,
  lost: lostPages,
  kept: plan.keep.count() - zeroPages - lostPages,
})
