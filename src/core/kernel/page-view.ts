// One page at a time, for reports and for people who ask about an address: what it is used for.

import type { Pfn, VirtAddr } from '../address.ts'
import type { Kernel } from './kernel.ts'
import { readMemMap } from './mem-map.ts'
import { readPageFields } from './page-fields.ts'
import { highestLevel, makeBlockSize, makePageKindTest, type PageKind } from './page-kind.ts'
import { StructPages } from './struct-pages.ts'

export interface PageView {
  readonly pfn: Pfn
  readonly kind: PageKind
  /** Pages that the record speaks for, from `pfn` on: those of a free block, of a compound page. */
  readonly pages: number
  /** Where its struct page is. */
  readonly structPage: VirtAddr
}

/**
 * Opens the memory map once; the answer reads single pages, undefined when one has no struct page or
 * the dump does not hold it. @throws {KernelError} as readMemMap.
 */
export function openPageView(kernel: Kernel): (pfn: Pfn) => PageView | undefined {
  const options = { level: highestLevel, likeMakedumpfile: false }
  const fields = readPageFields(kernel.vmcoreinfo, kernel.arch.abi, options.likeMakedumpfile)
  const kindOf = makePageKindTest(fields, options)
  const blockSize = makeBlockSize(fields, options, kernel.pageSize)
  const memMap = readMemMap(kernel)
  const records = new StructPages(kernel, memMap)
  return (pfn) => {
    const section = memMap.sections.find((s) => pfn >= s.firstPfn && pfn < s.endPfn)
    if (section === undefined) return undefined
    records.makeCurrent(section, pfn)
    const at = records.offsetOf(pfn)
    if (at < 0) return undefined
    const next = pfn + 1 < records.end ? records.offsetOf(pfn + 1) : -1
    const kind = kindOf(records.view, at, next)
    const pages = kind === 'tail' ? 1 : Math.max(1, blockSize(kind, records.view, at, next, pfn))
    const structPage = section.structPages + BigInt(pfn - section.firstPfn) * BigInt(records.size)
    return { pfn, kind, pages, structPage: BigInt.asUintN(64, structPage) }
  }
}
