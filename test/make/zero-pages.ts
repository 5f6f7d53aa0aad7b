// The zero pages of a dump, counted the plain way: every byte of the page, those that were never RAM
// being zero.

import type { Bitmap } from '../../src/core/bitmap.ts'
import type { PhysicalMemory } from '../../src/core/memory/physical.ts'
import { intersect } from '../../src/core/ranges.ts'

export function countZeroPages(memory: PhysicalMemory, pages: Bitmap, pageSize: number): number {
  const page = Buffer.alloc(pageSize)
  const zeros = Buffer.alloc(pageSize)
  let count = 0
  for (let pfn = pages.next(0); pfn >= 0; pfn = pages.next(pfn + 1)) {
    const start = pfn * pageSize
    page.fill(0)
    for (const part of intersect([{ start, end: start + pageSize }], memory.ranges)) {
      memory.read(part.start, page.subarray(part.start - start, part.end - start))
    }
    if (page.equals(zeros)) count++
  }
  return count
}
