// makedumpfile --split writes one dump as several files: the same headers and bitmaps in each, and the
// pages of one range. The parts may be given in any order, and some may hold no page at all.

import { hex } from '../../core/address.ts'
import { FormatError } from '../../core/errors.ts'
import { makeRanges, type Ranges, subtract } from '../../core/ranges.ts'
import { type KdumpHeader, statusFlags } from './layout.ts'
import type { KdumpPart } from './memory.ts'

/** Parts in the order of their pages. @throws {FormatError} they are of different dumps, or overlap. */
export function orderParts(parts: readonly KdumpPart[]): readonly KdumpPart[] {
  const first = parts[0] as KdumpPart
  for (const part of parts) checkSameDump(first, part)
  const sorted = parts.toSorted((a, b) => start(a) - start(b) || end(a) - end(b))
  let next = 0
  for (const part of sorted) {
    if (start(part) < next) throw given(part, next)
    next = end(part)
  }
  return sorted
}

/** Page frames of parts that were not given. @param parts in order */
export function missingParts(parts: readonly KdumpPart[]): Ranges {
  const all = { start: 0, end: parts[0]?.headers.maxMapnr ?? 0 }
  return subtract([all], makeRanges(parts.map(({ headers }) => headers.part)))
}

/** @throws {FormatError} a part is missing. */
export function checkWhole(parts: readonly KdumpPart[]): void {
  const [gap] = missingParts(parts)
  if (gap !== undefined) throw missing(parts[0] as KdumpPart, gap.start, gap.end)
}

const start = ({ headers }: KdumpPart): number => headers.part.start
const end = ({ headers }: KdumpPart): number => headers.part.end

function checkSameDump(first: KdumpPart, part: KdumpPart): void {
  // makedumpfile marks only the part whose disk was full.
  const identity = ({ headers: { header, abi, maxMapnr } }: KdumpPart): string => {
    const same: Omit<KdumpHeader, 'seconds' | 'microseconds'> & { seconds: string; microseconds: string } = {
      ...header,
      seconds: `${header.seconds}`,
      microseconds: `${header.microseconds}`,
      status: header.status & ~statusFlags.incomplete,
    }
    return JSON.stringify([same, abi, maxMapnr])
  }
  if (identity(first) === identity(part)) return
  throw new FormatError({
    file: part.source.name,
    offset: 0,
    field: 'kdump header',
    expected: `the same as in ${first.source.name}`,
    found: 'another header',
    hint: 'these files are not parts of the same dump',
  })
}

function missing(part: KdumpPart, from: number, to: number): FormatError {
  return new FormatError({
    file: part.source.name,
    field: 'a part of the split dump is missing',
    expected: `a file with the pages ${hex(from)} to ${hex(to)}`,
    hint: 'name all files of the set, in any order',
  })
}

function given(part: KdumpPart, next: number): FormatError {
  return new FormatError({
    file: part.source.name,
    field: 'kdump sub-header, startPfn',
    expected: `${hex(next)}, where the part before it ends`,
    found: `${hex(start(part))}: pages that another file has`,
    hint: 'was the same file given twice?',
  })
}
