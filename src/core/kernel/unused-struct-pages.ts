// The memory map takes a page for every 64 pages of memory. Where all of those are left out, so can be the
// page that describes them: of a large machine that is mostly free, most of what else would stay.
// Source: makedumpfile 1.7.9, option -e.

import type { Pfn } from '../address.ts'
import type { Bitmap } from '../bitmap.ts'
import { tryRead } from '../errors.ts'
import type { Range } from '../ranges.ts'
import type { Kernel } from './kernel.ts'
import { readMemMap } from './mem-map.ts'

/**
 * Clear from `keep` the pages of struct pages that describe only pages of `existing` which are not to be
 * kept. Returns how many it cleared. @throws {KernelError} as readMemMap
 */
export function clearUnusedStructPages(kernel: Kernel, existing: Bitmap, keep: Bitmap): number {
  const { sections, structPageSize } = readMemMap(kernel)
  const leftOut = existing.clone()
  for (const run of keep.runs()) leftOut.clearRange(run.start, run.end)
  const unused: Range[] = []
  for (const { firstPfn, endPfn, structPages } of sections) {
    for (const { start, end } of leftOut.runs(firstPfn, endPfn)) {
      const first = structPages + BigInt((start - firstPfn) * structPageSize)
      unused.push(...wholePages(kernel, first, first + BigInt((end - start) * structPageSize)))
    }
  }
  return unused.reduce((sum, { start, end }) => sum + keep.clearRange(start, end), 0)
}

/** Page frames that virtual memory [from, to) fills, in as few ranges as it is mapped in. */
function wholePages({ memory, pageSize }: Kernel, from: bigint, to: bigint): Range[] {
  const size = BigInt(pageSize)
  const end = to - (to % size)
  const ranges: Range[] = []
  for (let at = from + ((size - (from % size)) % size); at < end; ) {
    const mapping = tryRead(() => memory.mapping(at))
    // What is not mapped, or whose page table is missing, is not in the dump either.
    const stop = mapping === undefined ? at + size : mapping.end < end ? mapping.end : end
    if (mapping !== undefined) {
      const physical = mapping.physical + Number(at - mapping.start)
      const start: Pfn = physical / pageSize
      const pages = Math.floor(Number(stop - at) / pageSize)
      if (Number.isInteger(start) && pages > 0) ranges.push({ start, end: start + pages })
    }
    at = stop
  }
  return ranges
}
