// makedumpfile --split writes one dump as several files: the same headers and bitmaps in each, and the
// pages of one range. The parts may be given in any order, and some may hold no page at all.

import { hex } from '../../core/address.ts'
import { FormatError } from '../../core/errors.ts'
import { type KdumpHeader, statusFlags } from './layout.ts'
import type { KdumpPart } from './memory.ts'

/** Parts in the order of their pages. @throws {FormatError} they are of different dumps, or one is missing. */
export function orderParts(parts: readonly KdumpPart[]): readonly KdumpPart[] {
  const first = parts[0] as KdumpPart
  for (const part of parts) checkSameDump(first, part)
  const sorted = parts.toSorted((a, b) => start(a) - start(b) || end(a) - end(b))
  let next = 0
  for (const part of sorted) {
    if (start(part) > next) throw missing(part, next, start(part))
    if (start(part) < next) throw given(part, next)
    next = end(part)
  }
  if (next < first.headers.maxMapnr) throw missing(first, next, first.headers.maxMapnr)
  return sorted
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
