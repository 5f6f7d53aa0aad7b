// The dump level: which kinds of pages are left out, one bit each, as makedumpfile and kdump.conf have
// it. A file that is filtered again cannot get back what it lost, so levels add up.

import { UsageError } from '../errors.ts'
import { highestLevel, levelBits } from '../kernel/page-kind.ts'

/** @throws {UsageError} not 0 to 31 */
export function checkLevel(level: number): number {
  if (Number.isInteger(level) && level >= 0 && level <= highestLevel) return level
  throw new UsageError(`dump level ${level}: expected 0 to ${highestLevel}`, {
    hint: 'add up: 1 zero pages, 2 page cache, 4 page cache with private data, 8 user memory, 16 free pages',
  })
}

export const leavesOutZeroPages = (level: number): boolean => (level & levelBits.zero) !== 0

/** Levels that need no struct page: everything, and everything but zero pages. */
export const needsKernel = (level: number): boolean => (level & ~levelBits.zero) !== 0
