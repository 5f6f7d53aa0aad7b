// Our page statistics in the terms of makedumpfile's report, to compare with what it printed.

import type { PageStatistics } from '../../src/core/filter/statistics.ts'
import type { PageCounts } from '../../src/core/kernel/classify-pages.ts'

/** The pages as makedumpfile's report counts them; see its print_report(). */
interface MakedumpfileReport extends PageCounts {
  /** RAM, pages in two segments counted once. */
  readonly original: number
  readonly excluded: number
  readonly zero: number
  /** It does not know of pages that were missing before. */
  readonly remaining: number
  readonly hole: number
  readonly total: number
}

export function makedumpfileReport(pages: PageStatistics): MakedumpfileReport {
  const { zero, cache, cachePrivate, user, free, hwpoison, offline, existing, total } = pages
  const excluded = zero + cache + cachePrivate + user + free + hwpoison + offline
  return {
    original: existing,
    excluded,
    zero,
    cache,
    cachePrivate,
    user,
    free,
    hwpoison,
    offline,
    remaining: existing - excluded,
    hole: total - existing,
    total,
  }
}
