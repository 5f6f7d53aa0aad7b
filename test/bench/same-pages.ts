// Do two dumps hold the same memory? Whatever they are packed with, whatever program wrote them.

import { openDump } from '../../src/formats/index.ts'

const pageSize = 4096

/** @returns number of pages in both · @throws {Error} at the first page that only one has, or that differs */
export function compareDumps(left: string, right: string): number {
  using one = openDump(left)
  using two = openDump(right)
  const [stored, others] = [one, two].map(({ memory }) => memory.storedPages(pageSize))
  if (stored === undefined || others === undefined) throw new Error('two dumps are needed')
  const [page, other] = [Buffer.alloc(pageSize), Buffer.alloc(pageSize)]
  let count = 0
  for (let pfn = stored.next(0), theirs = others.next(0); pfn >= 0 || theirs >= 0; count++) {
    if (pfn !== theirs) {
      const [has, number] = theirs < 0 || (pfn >= 0 && pfn < theirs) ? [left, pfn] : [right, theirs]
      throw new Error(`page 0x${number.toString(16)} is in ${has} only`)
    }
    one.memory.read(pfn * pageSize, page)
    two.memory.read(pfn * pageSize, other)
    if (!page.equals(other)) throw new Error(`page 0x${pfn.toString(16)} of ${left} and ${right} differ`)
    pfn = stored.next(pfn + 1)
    theirs = others.next(theirs + 1)
  }
  return count
}
