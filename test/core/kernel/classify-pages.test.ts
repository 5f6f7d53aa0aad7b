// Struct pages as kernels from 4.18 to 7.1 write them, judged by what each page was made to be.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpError } from '../../../src/core/errors.ts'
import { classifyPages, withoutWalk } from '../../../src/core/kernel/classify-pages.ts'
import { readDumpPages } from '../../../src/core/kernel/dump-pages.ts'
import { type PageEra, pageEras } from '../../make/page-eras.ts'
import { machinePages, PageMachine, structPageSize, structPagesAt } from '../../make/page-machine.ts'
import { anonVma, isLeftOut, makeScenes, type PlacedScene } from '../../make/page-scenes.ts'
import { otherPlatforms, x86Platform } from '../../make/platforms.ts'

const classify = (machine: PageMachine, level: number, likeMakedumpfile = false) => {
  const kernel = machine.open()
  const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
  return { pages, ...classifyPages(kernel, { level, pages, likeMakedumpfile }) }
}

const newest = pageEras.at(-1) as PageEra
const cases = [
  ...pageEras.map((era) => ({ era, platform: x86Platform })),
  ...otherPlatforms.flatMap((platform) => [
    { era: pageEras[1] as PageEra, platform },
    { era: newest, platform },
  ]),
]

describe.each(cases)('struct pages of Linux $era.name on $platform.name', ({ era, platform }) => {
  it('leaves out, at every level, exactly the pages it should', () => {
    const { machine, scenes } = makeScenes(era, platform)
    for (let level = 0; level < 32; level++) {
      const { keep, counts } = classify(machine, level)
      let left = 0
      for (const { name, kind, pfn, pages } of scenes) {
        // Broken anonymous memory goes at every level, under another name.
        const gone = isLeftOut(kind, level) || name.startsWith('broken')
        expect(keep.count(pfn, pfn + pages), `${name} at level ${level}`).toBe(gone ? 0 : pages)
        left += gone ? pages : 0
      }
      expect(keep.count(), `level ${level}`).toBe(machinePages - left)
      expect(Object.values(counts).reduce((a, b) => a + b, 0)).toBe(left)
    }
  })

  it('finds nothing impossible in them', () => {
    const { machine } = makeScenes(era, platform)
    const { seen, warnings } = classify(machine, 0)
    expect(seen).toMatchObject({ examined: machinePages, impossible: 0, unreadable: 0, badOrders: 0 })
    expect(warnings).toEqual([])
  })
})

describe('classifyPages', () => {
  it('as makedumpfile keeps what someone waits for on Linux 6.10 and later, whose PG_waiters is the old PG_slab', () => {
    const { machine, scenes } = makeScenes(newest)
    const waiting = scenes.find(({ name }) => name.endsWith('waits for')) as PlacedScene
    expect(classify(machine, 8).keep.has(waiting.pfn)).toBe(false)
    expect(classify(machine, 8, true).keep.has(waiting.pfn)).toBe(true)
  })

  it('as makedumpfile leaves out kernel memory whose slot looks anonymous', () => {
    const { machine, scenes } = makeScenes(newest)
    const table = scenes.find(({ name }) => name.startsWith('page table')) as PlacedScene
    expect(classify(machine, 8).keep.has(table.pfn)).toBe(true)
    expect(classify(machine, 8, true).keep.has(table.pfn)).toBe(false)
  })

  it.each(pageEras.filter(({ name }) => !name.startsWith('4.18')))(
    'leaves out a hugetlb page whose struct pages share one page of memory (HVO), Linux $name',
    (era) => {
      const machine = new PageMachine(era, x86Platform, 12)
      machine.setCompound(1024, 9, {}, true)
      // The first page of eight has the head. The others are mapped to it and pass for heads, too; since
      // Linux 7.1 they are mapped to a page of tails.
      const records = structPagesAt + 1024 * structPageSize
      const shared = era.compoundMask ? records + 4096 : records
      for (let page = 1; page < 8; page++) {
        machine.tables.map(x86Platform.vmemmap + BigInt(1024 * structPageSize + page * 4096), shared, 12)
        if (records + page * 4096 !== shared)
          machine.memory.remove(records + page * 4096, records + page * 4096 + 1)
      }
      expect(classify(machine, 0).seen).toMatchObject({ impossible: 0, unreadable: 0 })
      for (const level of [2, 4, 16]) expect(classify(machine, level).keep.count(1024, 1536)).toBe(512)
      expect(classify(machine, 8).counts.user).toBe(512)
      expect(classify(machine, 31).keep.count(1024, 1536)).toBe(0)
    },
  )

  it('recognises a type whatever its owner put into the lower bits, since Linux 6.12', () => {
    const machine = new PageMachine(newest)
    machine.setPage(100, { mapcount: machine.typeOf('offline') | 0x1234 })
    expect(classify(machine, 0).counts.offline).toBe(1)
    expect(classify(machine, 0, true).counts.offline).toBe(0)
  })

  it('keeps tails when the kernel does not say how to tell them', () => {
    const { machine } = makeScenes(newest)
    const facts = machine.facts()
    const { 'page.compound_info': _, ...offsets } = facts.offsets ?? {}
    const kernel = machine.open({ ...facts, offsets })
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    const { keep } = classifyPages(kernel, { level: 31, pages })
    expect(Buffer.from(keep.bytes).equals(classify(machine, 31).keep.bytes)).toBe(true)
  })

  it('keeps a free block of an order that does not exist and says so', () => {
    const machine = new PageMachine(newest)
    machine.setFree(1024, 3)
    machine.setPage(1024, { mapcount: machine.typeOf('buddy'), private: 11n, refcount: 0 })
    const { keep, seen, warnings } = classify(machine, 16)
    expect(keep.count()).toBe(machinePages)
    expect(seen.badOrders).toBe(1)
    expect(warnings.map((w) => w.code)).toEqual(['FREE_ORDER'])
  })

  it('takes the head alone of a compound page that is not aligned to its size or too large to exist', () => {
    const machine = new PageMachine(newest)
    machine.setCompound(1028, 2, { flags: [5], mapping: anonVma | 1n })
    machine.memory.writeU64(structPagesAt + 1029 * structPageSize, 9n)
    machine.setCompound(0, 2, { flags: [5], mapping: anonVma | 1n })
    machine.memory.writeU64(structPagesAt + 1 * structPageSize, 40n)
    expect(classify(machine, 8).counts.user).toBe(2)
  })

  it('counts only pages that are in the dump, though a block speaks for more', () => {
    const machine = new PageMachine(newest)
    machine.setFree(1024, 10)
    machine.memory.remove(1100 * 4096, 1200 * 4096)
    const { counts, keep, pages } = classify(machine, 16)
    expect(counts.free).toBe(1024 - 100)
    expect(pages.existing.count()).toBe(machinePages)
    expect(keep.count()).toBe(machinePages - 1024)
  })

  it('keeps pages whose struct page is not in the dump, and says how many', () => {
    const machine = new PageMachine(newest)
    for (let pfn = 0; pfn < 1024; pfn += 8) machine.setFree(pfn, 3)
    machine.memory.remove(structPagesAt + 4096, structPagesAt + 8192)
    const { counts, seen, warnings } = classify(machine, 16)
    expect(seen.unreadable).toBe(64)
    expect(counts.free).toBe(1024 - 64)
    expect(warnings.map((w) => w.code)).toEqual(['STRUCT_PAGES_MISSING'])
  })

  it('says that struct pages were overwritten', () => {
    const machine = new PageMachine(newest)
    const text = Buffer.alloc(256 * 1024, 'GNU GENERAL PUBLIC LICENSE Version 2')
    machine.memory.write(structPagesAt, text)
    const { seen, warnings } = classify(machine, 31)
    expect(seen.impossible).toBeGreaterThan(1000)
    expect(warnings.map((w) => w.code)).toContain('STRUCT_PAGES_DAMAGED')
  })

  it('says that a tail names a head that is none', () => {
    const machine = new PageMachine(newest)
    machine.setCompound(64, 3, {})
    machine.setPage(64, {})
    expect(classify(machine, 0).seen.impossible).toBe(7)
  })

  it('does levels 0 and 1 without struct pages, and says what it could not do', () => {
    const machine = new PageMachine(newest)
    const kernel = machine.open({ ...machine.facts(), lengths: {}, sizes: {} })
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    for (const level of [0, 1]) {
      const { keep, warnings } = classifyPages(kernel, { level, pages })
      expect(keep.count()).toBe(machinePages)
      expect(warnings.map((w) => w.code)).toEqual(['NO_STRUCT_PAGES'])
    }
    expect(() => classifyPages(kernel, { level: 2, pages })).toThrow(/SIZE\(page\)/)
    expect(withoutWalk(pages).keep.count()).toBe(machinePages)
  })

  it('cannot free pages of a kernel that does not say how to tell them', () => {
    const machine = new PageMachine(newest)
    machine.setFree(1024, 10)
    const facts = machine.facts()
    const { PAGE_BUDDY_MAPCOUNT_VALUE: _, ...numbers } = facts.numbers ?? {}
    const kernel = machine.open({ ...facts, numbers })
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    const { keep, warnings } = classifyPages(kernel, { level: 31, pages })
    expect(keep.count()).toBe(machinePages)
    expect(warnings.map((w) => w.code)).toEqual(['NO_BUDDY'])
  })

  it('accounts for every page: kept, left out, left out before, hole', () => {
    const scene = fc.record({
      era: fc.constantFrom(...pageEras),
      level: fc.integer({ min: 0, max: 31 }),
      missing: fc.array(fc.integer({ min: 0, max: machinePages - 1 }), { maxLength: 50 }),
      damage: fc.array(fc.tuple(fc.integer({ min: 0, max: machinePages * 16 - 1 }), fc.nat()), {
        maxLength: 40,
      }),
    })
    fc.assert(
      fc.property(scene, ({ era, level, missing, damage }) => {
        const { machine } = makeScenes(era)
        for (const [word, value] of damage) machine.memory.writeU32(structPagesAt + word * 4, value)
        const kernel = machine.open()
        for (const pfn of missing) {
          // Not what translation and struct pages live in.
          if (pfn > 256 && (pfn < 4096 || pfn > 9000)) machine.memory.remove(pfn * 4096, (pfn + 1) * 4096)
        }
        const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
        const { keep, counts } = classifyPages(kernel, { level, pages })
        const left = Object.values(counts).reduce((a, b) => a + b, 0)
        const before = pages.existing.count() - pages.dumpable.count()
        const holes = machinePages - pages.existing.count()
        expect(keep.count() + left + before + holes).toBe(machinePages)
      }),
      { numRuns: 60 },
    )
  })
})

describe('damaged VMCOREINFO', () => {
  const machine = makeScenes(newest).machine
  const text = machine.facts()
  const keys = (['numbers', 'sizes', 'offsets', 'lengths'] as const).flatMap((kind) =>
    Object.keys(text[kind] ?? {}).map((key) => [kind, key] as const),
  )

  it.each(keys)('%s %s: 0, max, one more and one less give an answer or a DumpError', (kind, key) => {
    const right = BigInt(text[kind]?.[key] ?? 0)
    for (const value of [0n, -1n, right + 1n, right - 1n, 0x7fffffffn, 0xffffffffn, 1n << 62n]) {
      try {
        const kernel = machine.open({ ...text, [kind]: { ...text[kind], [key]: value } })
        const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
        const { keep, counts } = classifyPages(kernel, { level: 31, pages })
        const left = Object.values(counts).reduce((a, b) => a + b, 0)
        expect(keep.count() + left).toBe(keep.length)
      } catch (error) {
        expect(error, `${key} = ${value}`).toBeInstanceOf(DumpError)
      }
    }
  })
})
