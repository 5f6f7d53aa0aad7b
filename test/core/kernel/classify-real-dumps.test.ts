// makedumpfile's statistics of real dumps are compared line by line. Of the first three there is a second
// judge, who agrees: drgn counted the kinds of page from DWARF types and page flags.

import { describe, expect, it } from 'vitest'
import { Bitmap } from '../../../src/core/bitmap.ts'
import { classifyPages } from '../../../src/core/kernel/classify-pages.ts'
import { readDumpPages } from '../../../src/core/kernel/dump-pages.ts'
import { type Kernel, openKernel } from '../../../src/core/kernel/kernel.ts'
import { withVmcoreinfo } from '../../../src/core/kernel/search-vmcoreinfo.ts'
import { openDump } from '../../../src/formats/index.ts'
import {
  expectedJson,
  type FixtureCase,
  fixture,
  type MakedumpfileCounts,
  makedumpfileCounts,
} from '../../fixtures/index.ts'
import { countZeroPages } from '../../make/zero-pages.ts'

const seenByDrgn = ['ppc64le-7.2-fadump', 'x86_64-7.2-small', 'arm64-7.2-debian'] as const
const cases = [...seenByDrgn, 's390x-6.1-debian', 's390x-7.2-debian', 'riscv64-7.2-debian'] as const
const levels = [0, 1, 2, 4, 8, 16, 31] as const

const openFixture = (name: FixtureCase): Kernel =>
  openKernel(withVmcoreinfo(openDump(fixture(`${name}/vmcore`))))

/**
 * Every line of makedumpfile's statistics. "Original pages" counts a page of two segments twice; no
 * page of these dumps lies in two, and pages at or above maxMapnr are in no line.
 */
function statistics(kernel: Kernel, level: number): MakedumpfileCounts {
  const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
  const { keep, counts, maxMapnr } = classifyPages(kernel, { level, pages })
  const zero = (level & 1) === 0 ? 0 : countZeroPages(kernel.dump.memory, keep, kernel.pageSize)
  const original = pages.existing.count(0, maxMapnr)
  const excluded = zero + Object.values(counts).reduce((sum, count) => sum + count, 0)
  return {
    original,
    excluded,
    zero,
    ...counts,
    remaining: original - excluded,
    hole: maxMapnr - original,
    total: maxMapnr,
  }
}

describe.each(cases)('%s', (name) => {
  it.each(levels)('has the pages that makedumpfile -d %i counts', (level) => {
    const kernel = openFixture(name)
    using _ = kernel.dump
    expect(statistics(kernel, level)).toEqual(makedumpfileCounts(name, level))
  })

  it('has no impossible and no unreadable struct page', () => {
    const kernel = openFixture(name)
    using _ = kernel.dump
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    const { seen, warnings } = classifyPages(kernel, { level: 0, pages })
    expect(seen).toMatchObject({ impossible: 0, unreadable: 0, badOrders: 0 })
    expect(seen.examined).toBe(
      pages.stored.count() - pagesAboveMap(kernel, pages.stored) - (bootRomPages[name] ?? 0),
    )
    expect(warnings).toEqual([])
  })

  it('gives the same answer in the way of makedumpfile, as no page shows the difference', () => {
    const kernel = openFixture(name)
    using _ = kernel.dump
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    const ours = classifyPages(kernel, { level: 31, pages })
    const theirs = classifyPages(kernel, { level: 31, pages, likeMakedumpfile: true })
    expect(theirs.counts).toEqual(ours.counts)
    expect(Buffer.from(theirs.keep.bytes).equals(ours.keep.bytes)).toBe(true)
  })
})

describe.each(seenByDrgn)('%s', (name) => {
  it('has the kinds of page that drgn counts over the whole memory map', () => {
    const kernel = openFixture(name)
    using _ = kernel.dump
    const drgn = expectedJson<{ pages_seen: number; kinds: Record<string, number> }>(name, 'drgn-pages.json')
    const first = Math.floor((kernel.dump.memory.ranges[0]?.start ?? 0) / kernel.pageSize)
    const all = new Bitmap(first + drgn.pages_seen)
    all.setRange(first, all.length)
    const pages = { existing: all, stored: all, dumpable: all }
    const { keep, counts, seen } = classifyPages(kernel, { level: 31, pages })
    expect(drgn.kinds).toEqual({
      cache: counts.cache + counts.cachePrivate,
      user: counts.user,
      free: counts.free,
      tail: seen.tails,
      keep: keep.count() - seen.tails,
    })
  })
})

/** QEMU's virt machine has its boot ROM, which no struct page describes, from 0x1000 to 0x10000. */
const bootRomPages: Partial<Record<FixtureCase, number>> = { 'riscv64-7.2-debian': 15 }

/** Video and firmware memory of x86 hypervisor dumps has no struct page. */
const pagesAboveMap = (kernel: Kernel, stored: Bitmap): number =>
  stored.count(Math.ceil(0xf0000000 / kernel.pageSize))

describe('x86_64-6.1-debian', () => {
  // makedumpfile -d 31 made this file and kept the struct pages of what it left out, so its pages can be
  // judged again as those of the whole machine. Its statistics are of the unfiltered file; "Original
  // pages" and what follows from it count the 10288 pages of the kernel's text segment twice.
  const twice = 0x2830
  const open = () => openKernel(openDump(fixture('x86_64-6.1-debian/vmcore.kdump')))
  const wholeMachine = (kernel: Kernel) => {
    const { existing } = readDumpPages(kernel.dump.memory, kernel.pageSize)
    return { existing, stored: existing, dumpable: existing }
  }

  it.each(levels)('has the pages that makedumpfile -d %i counts, zero pages aside', (level) => {
    const kernel = open()
    using _ = kernel.dump
    const pages = wholeMachine(kernel)
    const { counts, keep, maxMapnr } = classifyPages(kernel, { level, pages })
    const { original, zero, remaining, total, ...theirs } = makedumpfileCounts('x86_64-6.1-debian', level)
    expect(theirs).toMatchObject(counts)
    expect(maxMapnr).toBe(total)
    expect(pages.existing.count()).toBe(original - twice)
    expect(keep.count()).toBe(remaining + zero - twice)
  })

  it('keeps the very pages that makedumpfile put into the file', () => {
    const kernel = open()
    using _ = kernel.dump
    const { keep } = classifyPages(kernel, { level: 31, pages: wholeMachine(kernel) })
    expect(Buffer.from(keep.bytes).equals(kernel.dump.memory.storedPages(4096).bytes)).toBe(true)
  })

  it('finds nothing more to leave out, and as many zero pages', () => {
    const kernel = open()
    using _ = kernel.dump
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    const { keep, seen } = classifyPages(kernel, { level: 31, pages })
    expect(Buffer.from(keep.bytes).equals(pages.stored.bytes)).toBe(true)
    expect(seen).toMatchObject({ impossible: 0, unreadable: 0, badOrders: 0 })
    expect(countZeroPages(kernel.dump.memory, keep, 4096)).toBe(
      makedumpfileCounts('x86_64-6.1-debian', 31).zero,
    )
  })
})

describe('what makedumpfile up to 1.7.8 loses on Linux 7.1 and later', () => {
  // Not knowing page.compound_info, it takes the first tail of a compound page for anonymous memory.
  it.each([
    ['x86_64-7.2-small', 2319 - 2105],
    ['arm64-7.2-debian', 310 - 55],
    ['ppc64le-7.2-fadump', 47 - 30],
  ] as const)('%s: we keep all of its %i pages', (name, lost) => {
    const kernel = openFixture(name)
    using _ = kernel.dump
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    const { keep, maxMapnr } = classifyPages(kernel, { level: 8, pages })
    const tails = firstTails(kernel, pages.stored, maxMapnr)
    expect(tails.filter((pfn) => keep.has(pfn))).toHaveLength(lost)
  })
})

/** Pages whose compound_info marks a tail and whose mapping slot holds 0xffffffff, read one by one. */
function firstTails({ vmcoreinfo, memory }: Kernel, stored: Bitmap, end: number): number[] {
  const vmemmap = vmcoreinfo.symbol('vmemmap') as bigint
  const size = BigInt(vmcoreinfo.size('page') as number)
  const compound = BigInt(vmcoreinfo.offset('page.compound_info') as number)
  const mapping = BigInt(vmcoreinfo.offset('page.mapping') as number)
  const found: number[] = []
  for (let pfn = stored.next(0); pfn >= 0 && pfn < end; pfn = stored.next(pfn + 1)) {
    const page = vmemmap + BigInt(pfn) * size
    if ((memory.u64(page + compound) & 1n) === 1n && memory.u64(page + mapping) === 0xffffffffn)
      found.push(pfn)
  }
  return found
}
