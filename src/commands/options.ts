// Options that several commands share, with one wording.

import { InvalidArgumentError, Option } from 'commander'
import { highestLevel } from '../core/kernel/page-kind.ts'
import { makeRanges, type Ranges } from '../core/ranges.ts'

const binarySuffixes: Record<string, number> = {
  '': 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
}

/** `512M`, `2G`, `0x10000`: bytes, as the kernel's memparse reads it. */
export function parseSize(text: string): number {
  const match = /^(0x[0-9a-f]+|\d+)([kmgtp]?)(i?b)?$/i.exec(text)
  const value =
    match === null
      ? Number.NaN
      : Number(match[1]) * (binarySuffixes[(match[2] ?? '').toUpperCase()] ?? Number.NaN)
  if (!Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected bytes, such as 65536, 512M, 2G or 0x14000000')
  return value
}

export function parseCount(text: string): number {
  const value = Number(text)
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('expected a whole number')
  }
  return value
}

/** `0x10000000-0x20000000` or `256M-512M`: start and end (exclusive) in bytes. Repeated options add up. */
export function collectRange(text: string, earlier: Ranges = []): Ranges {
  const [start, end, ...rest] = text.split('-').map(parseSize)
  if (start === undefined || end === undefined || rest.length > 0 || start >= end) {
    throw new InvalidArgumentError('expected START-END, such as 0x10000000-0x20000000 or 256M-512M')
  }
  return makeRanges([...earlier, { start, end }])
}

export const forceOption = (): Option => new Option('-f, --force', 'replace files that exist already')

/** makedumpfile's letter and default. */
export const dumpLevelOption = (): Option =>
  new Option('-d, --dump-level <level>', levelHelp).argParser(parseLevel).default(0)

export const levelHelp =
  'leave out pages, the sum of: 1 zero, 2 page cache, 4 page cache with private data, 8 user memory, 16 free; ' +
  '31 is usual'

export function parseLevel(text: string): number {
  const level = parseCount(text)
  if (level > highestLevel) throw new InvalidArgumentError(`expected 0 to ${highestLevel}`)
  return level
}

export const threadsOption = (): Option =>
  new Option(
    '-j, --num-threads <count>',
    'worker threads (default: one a core up to 8, none for small dumps)',
  ).argParser(parseThreads)

function parseThreads(text: string): number {
  const count = parseCount(text)
  if (count > 256) throw new InvalidArgumentError('expected 0 to 256')
  return count
}
