// What was memory used for? Every page of the machine by its struct page, which dumps keep also of the
// pages they leave out.

import { KernelError } from '../../errors.ts'
import { classifyPages, type PageCounts } from '../../kernel/classify-pages.ts'
import { readDumpPages } from '../../kernel/dump-pages.ts'
import { highestLevel } from '../../kernel/page-kind.ts'
import { renderCount } from '../../units.ts'
import type { Remark, Section } from '../section.ts'
import type { Subject } from '../subject.ts'

export interface MemoryAnswer {
  /** Bytes. */
  readonly pageSize: number
  /** Pages of RAM; the sum of all kinds. */
  readonly pages: number
  /** `kernel`: everything that is none of the others. Undefined when they were too many to look at. */
  readonly kinds: (PageCounts & { readonly kernel: number }) | undefined
}

/** Looking at the struct pages of more than 64 GiB takes minutes: only when asked for by name. */
const maxPagesUnasked = 2 ** 24

export const memorySection = {
  name: 'memory',
  title: 'Memory',
  read(subject: Subject, remark: (remark: Remark) => void): MemoryAnswer {
    const kernel = subject.kernel()
    const { pageSize } = kernel
    const { existing } = readDumpPages(kernel.memory.physical, pageSize)
    const total = existing.count()
    if (total > maxPagesUnasked && !subject.isSelective) {
      const message = `looking at ${renderCount(total)} pages takes long: \`--section memory\` does it`
      remark({ kind: 'note', message })
      return { pageSize, pages: total, kinds: undefined }
    }
    const pages = { existing, stored: existing, dumpable: existing }
    const { keep, counts, seen, warnings } = classifyPages(kernel, { level: highestLevel, pages })
    if (seen.examined === 0) throw new KernelError('no struct page of the kernel is in the dump')
    for (const { message } of warnings) remark({ kind: 'missing', message })
    const left = Object.values(counts).reduce((sum, count) => sum + count, 0)
    const kernelPages = keep.count()
    return { pageSize, pages: left + kernelPages, kinds: { ...counts, kernel: kernelPages } }
  },
} as const satisfies Section<string, MemoryAnswer>
