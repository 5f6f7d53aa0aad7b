// makedumpfile's report (--show-stats), as its scripts know it. Three things differ: memory that two
// segments of a core file have is counted once, pages that the source lacks are excluded ones of no
// kind, and there is no line about a cache.
// Source: makedumpfile 1.7.9, its output.

import type { FilterResult } from './index.ts'
import type { PageStatistics } from './statistics.ts'

/** Begins and ends with an empty line. */
export function renderReport({ format, pages, storedPages, writtenBytes }: FilterResult): string {
  const { existing, total } = pages
  const remaining = pages.kept + pages.lost
  const isElf = format === 'elf'
  const inElf = (count: number): string[] => (isElf ? [`     in ELF format : ${hex(count)}`] : [])
  const left = isElf ? storedPages : remaining
  return [
    '',
    `Original pages  : ${hex(existing)}`,
    `  Excluded pages   : ${hex(existing - remaining)}`,
    ...inElf(existing - storedPages),
    ...kinds.map(([field, label]) => countLine(label, pages[field])),
    // We load none.
    countLine('Extension filter pages', 0),
    `  Remaining pages  : ${hex(remaining)}`,
    ...inElf(storedPages),
    ...(existing === 0
      ? []
      : [`  (The number of pages is reduced to ${Math.floor((left * 100) / existing)}%.)`]),
    `Memory Hole     : ${hex(total - existing)}`,
    '-'.repeat(50),
    `Total pages     : ${hex(total)}`,
    `Write bytes     : ${writtenBytes}`,
    '',
  ].join('\n')
}

const kinds: readonly (readonly [keyof PageStatistics, string])[] = [
  ['zero', 'Pages filled with zero'],
  ['cache', 'Non-private cache pages'],
  ['cachePrivate', 'Private cache pages'],
  ['user', 'User process data pages'],
  ['free', 'Free pages'],
  ['hwpoison', 'Hwpoison pages'],
  ['offline', 'Offline pages'],
]

const countLine = (label: string, count: number): string => `    ${label.padEnd(24)}: ${hex(count)}`

const hex = (count: number): string => `0x${count.toString(16).padStart(16, '0')}`
