// Which pages of the memory map can be left out, worked out page by page: the kernel says where the struct
// page of page frame 0 is, and its page tables where each page of struct pages is in memory.

import { describe, expect, it } from 'vitest'
import { filterDump } from '../../../src/core/filter/index.ts'
import { planFilter } from '../../../src/core/filter/plan.ts'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { openDump } from '../../../src/formats/index.ts'
import { statusFlags } from '../../../src/formats/kdump/layout.ts'
import { fixture } from '../../fixtures/index.ts'
import { makeMemorySink } from '../../make/memory-sink.ts'

function pagesOfUnused(dump: Dump): number[] {
  const { existing, keep } = planFilter(dump, { level: 31 })
  const { memory, vmcoreinfo, pageSize } = openKernel(dump)
  const base = vmcoreinfo.symbol('vmemmap') as bigint
  const size = vmcoreinfo.size('page') as number
  const found = new Set<number>()
  for (let pfn = 0; pfn < existing.length; pfn++) {
    // The page that the first byte of this struct page is in, and all whose struct pages reach into it.
    const at = pfn * size - ((pfn * size) % pageSize)
    const first = Math.floor(at / size)
    const last = Math.floor((at + pageSize - 1) / size)
    let isUnused = true
    for (let i = first; i <= last && isUnused; i++) isUnused = existing.has(i) && !keep.has(i)
    const physical = isUnused ? memory.walk(base + BigInt(at)) : undefined
    if (physical !== undefined && keep.has(physical / pageSize)) found.add(physical / pageSize)
  }
  return [...found].sort((a, b) => a - b)
}

describe('struct pages of pages that are left out', () => {
  it.each(['x86_64-7.2-small/vmcore', 'ppc64le-7.2-fadump/vmcore', 'arm64-7.2-debian/vmcore'] as const)(
    'are left out, whole pages of them and no others: %s',
    (path) => {
      using dump = openDump(fixture(path))
      const all = planFilter(dump, { level: 31 })
      const fewer = planFilter(dump, { level: 31, leaveOutUnusedStructPages: true })
      const cleared: number[] = []
      for (let pfn = 0; pfn < all.keep.length; pfn++) {
        if (all.keep.has(pfn) !== fewer.keep.has(pfn)) cleared.push(pfn)
      }
      expect(cleared).toEqual(pagesOfUnused(dump))
      expect(cleared.length).toBeGreaterThan(5)
      expect(fewer.unusedStructPages).toBe(cleared.length)
    },
  )

  it('are told by a flag of the file, and counted', async () => {
    using dump = openDump(fixture('x86_64-7.2-small/vmcore'))
    const options = { level: 31, format: 'kdump' } as const
    const sink = makeMemorySink()
    const { pages } = await filterDump(dump, sink, { ...options, leaveOutUnusedStructPages: true })
    const { zero, cache, cachePrivate, user, free, structPages, kept, existing } = pages
    expect(structPages).toBeGreaterThan(100)
    expect(zero + cache + cachePrivate + user + free + structPages + kept).toBe(existing)
    // The status word stands behind the six strings, the time and its padding.
    const status = (bytes: Uint8Array): number => Buffer.from(bytes).readUInt32LE(424)
    expect(status(sink.bytes())).toBe(statusFlags.excludedVmemmap)
    const whole = makeMemorySink()
    await filterDump(dump, whole, options)
    expect(status(whole.bytes())).toBe(0)
  })

  it('stay at levels that leave out nothing by them', () => {
    using dump = openDump(fixture('x86_64-7.2-small/vmcore'))
    expect(planFilter(dump, { level: 1, leaveOutUnusedStructPages: true }).unusedStructPages).toBe(0)
  })
})
