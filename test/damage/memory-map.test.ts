// Struct pages that something overwrote, as firmware and boot loaders do. What the undamaged dump keeps,
// the damaged one keeps too: the judge is the same dump before the damage.

import { describe, expect, it } from 'vitest'
import type { Bitmap } from '../../src/core/bitmap.ts'
import { type Classification, classifyPages } from '../../src/core/kernel/classify-pages.ts'
import { readDumpPages } from '../../src/core/kernel/dump-pages.ts'
import { type Kernel, openKernel } from '../../src/core/kernel/kernel.ts'
import { readMemMap } from '../../src/core/kernel/mem-map.ts'
import {
  findRange,
  intersect,
  makeRanges,
  type Range,
  type Ranges,
  totalSize,
} from '../../src/core/ranges.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { Random } from '../fuzz/random.ts'
import { filterBytes } from '../make/filtered.ts'
import { type PageEra, pageEras } from '../make/page-eras.ts'
import { PageMachine, structPageSize, structPagesAt } from '../make/page-machine.ts'
import { anonVma } from '../make/page-scenes.ts'

/** What stands in the memory map instead, given what stood at an address. */
type Pattern = (bytes: Uint8Array, address: number, original: Dump['memory']) => void

const text = Buffer.from('You may copy and distribute verbatim copies of the Program. ')

const patterns: Readonly<Record<string, Pattern>> = {
  zeros: (bytes) => bytes.fill(0),
  ones: (bytes) => bytes.fill(0xff),
  text: (bytes, address) => {
    for (let i = 0; i < bytes.length; i++) bytes[i] = text[(address + i) % text.length] as number
  },
  'random bytes': (bytes, address) => {
    // The same at every reading, in whatever pieces.
    for (let i = 0; i < bytes.length; i++) {
      const random = Math.imul((address + i) ^ 0x5bd1e995, 0x9e3779b1)
      bytes[i] = (Math.imul(random ^ (random >>> 15), 0x85ebca6b) >>> 13) & 0xff
    }
  },
  'struct pages moved by 24 bytes': (bytes, address, original) => readAt(original, address - 24, bytes),
}

function readAt(memory: Dump['memory'], address: number, into: Uint8Array): void {
  try {
    memory.read(address, into)
  } catch {
    into.fill(0)
  }
}

/** A dump whose memory at `ranges` was overwritten. */
function overwrite(dump: Dump, ranges: readonly Range[], pattern: Pattern): Dump {
  const { memory } = dump
  return {
    ...dump,
    memory: {
      ...memory,
      read(address, into) {
        memory.read(address, into)
        for (const range of ranges) {
          const start = Math.max(range.start, address)
          const end = Math.min(range.end, address + into.length)
          if (start < end) pattern(into.subarray(start - address, end - address), start, memory)
        }
      },
    },
  }
}

/** Physical pages that hold the struct pages of memory, in their order. */
function mapPages({ memory, pageSize, dump }: Kernel): number[] {
  const map = readMemMap(openKernel(dump))
  const found: number[] = []
  for (const { firstPfn, endPfn, structPages } of map.sections) {
    const size = (endPfn - firstPfn) * map.structPageSize
    for (let at = 0; at < size; at += pageSize) {
      const first = firstPfn + Math.floor(at / map.structPageSize)
      const address = memory.translate(structPages + BigInt(at))
      if (findRange(dump.memory.ranges, first * pageSize) !== undefined && address !== undefined)
        found.push(address)
    }
  }
  return found
}

const classify = (dump: Dump): Classification => {
  const kernel = openKernel(dump)
  return classifyPages(kernel, { level: 31, pages: readDumpPages(dump.memory, kernel.pageSize) })
}

/** Pages that `whole` has and `damaged` has not. */
const lost = (whole: Bitmap, damaged: Bitmap): number => whole.count() - whole.and(damaged).count()

/** A share of the map in one piece, as firmware overwrites it. */
function choose(pages: readonly number[], share: number, pageSize: number): Ranges {
  const count = Math.max(1, Math.round(pages.length * share))
  const first = new Random(17, 0).below(pages.length - count + 1)
  return makeRanges(pages.slice(first, first + count).map((start) => ({ start, end: start + pageSize })))
}

const newest = pageEras.at(-1) as PageEra

describe.each(['x86_64-7.2-small', 'arm64-7.2-debian', 'ppc64le-7.2-fadump'] as const)(
  'the memory map of %s',
  (name) => {
    const cases = [0.01, 0.3, 1].flatMap((share) => Object.keys(patterns).map((kind) => ({ share, kind })))
    it.each(cases)('$share of it overwritten with $kind: what was kept is kept', ({ share, kind }) => {
      using dump = openDump(fixture(`${name}/vmcore`))
      const kernel = openKernel(dump)
      const overwritten = choose(mapPages(kernel), share, kernel.pageSize)
      const whole = classify(dump)
      const { keep, damage, warnings } = classify(overwrite(dump, overwritten, patterns[kind] as Pattern))
      expect(lost(whole.keep, keep)).toBe(0)
      expect(warnings.map(({ code }) => code)).toEqual(['STRUCT_PAGES_DAMAGED'])
      const told = intersect(overwritten, damage?.map ?? [])
      expect(totalSize(told)).toBeGreaterThan(0.9 * totalSize(overwritten))
      for (const { start, end } of damage?.pfns ?? []) expect(keep.count(start, end)).toBeGreaterThan(0)
      // Where all is lost, all is kept; pages that are there in part are not judged at all.
      if (share === 1) expect(keep.count() - (damage?.pages ?? 0)).toBeLessThan(3)
    })
  },
)

it('a kernel that leaves struct pages of reserved memory zero: such pages are kept, and no damage', () => {
  using dump = openDump(fixture('x86_64-6.1-debian/vmcore.kdump'))
  const kernel = openKernel(dump)
  const overwritten = choose(mapPages(kernel), 0.3, kernel.pageSize)
  const { keep, damage } = classify(overwrite(dump, overwritten, patterns.zeros as Pattern))
  expect(lost(classify(dump).keep, keep)).toBe(0)
  expect(damage).toBeUndefined()
})

describe('a struct page that makes no sense among good ones', () => {
  const classifyMachine = (machine: PageMachine): Classification => {
    const kernel = machine.open()
    return classifyPages(kernel, { level: 31, pages: readDumpPages(kernel.dump.memory, kernel.pageSize) })
  }

  it('costs its own page, and is told', () => {
    const machine = new PageMachine(newest)
    for (const pfn of [100, 101, 102]) machine.setPage(pfn, { flags: [newest.flags.lru] })
    machine.setPage(101, { flags: [newest.flags.lru], refcount: -5 })
    const { counts, damage, seen, warnings } = classifyMachine(machine)
    expect(counts.cache).toBe(2)
    expect(damage).toBeUndefined()
    expect(seen.impossible).toBe(1)
    expect(warnings.map(({ code }) => code)).toEqual(['STRUCT_PAGES_ODD'])
  })

  it('does not say how large a compound page is', () => {
    const machine = new PageMachine(newest)
    machine.setCompound(512, 3, { flags: [newest.flags.lru], mapping: anonVma | 1n })
    expect(classifyMachine(machine).counts.user).toBe(8)
    // Order 9 where the first tail was.
    machine.memory.writeU64(structPagesAt + 513 * structPageSize, 9n)
    machine.memory.writeU64(structPagesAt + 513 * structPageSize + 8, 0n)
    expect(classifyMachine(machine).counts.user).toBe(1)
  })

  it('is one that is free and has users, or is a block that begins where none can', () => {
    const machine = new PageMachine(newest)
    machine.setFree(1024, 3)
    machine.setPage(1024, { mapcount: machine.typeOf('buddy'), private: 3n, refcount: 1 })
    machine.setFree(2052, 3)
    expect(classifyMachine(machine)).toMatchObject({ counts: { free: 0 }, seen: { impossible: 2 } })
  })
})

describe('a filter of a damaged memory map', () => {
  const source = (): Uint8Array => {
    const machine = new PageMachine(newest)
    for (let pfn = 4096; pfn < 8192; pfn += 8) machine.setFree(pfn, 3)
    machine.memory.write(structPagesAt + 5120 * structPageSize, Buffer.alloc(65536, 'no struct page at all '))
    return machine.elfCore()
  }

  it('is done, but incomplete, and says where', async () => {
    const { result, dump } = await filterBytes(source(), { level: 16 })
    using _ = dump
    expect(result).toMatchObject({
      incomplete: true,
      pages: { free: 3072 },
      damage: {
        pages: 1024,
        pfns: [{ start: 5120, end: 6144 }],
        map: [{ start: structPagesAt + 5120 * 64, end: structPagesAt + 6144 * 64 }],
      },
    })
    expect(result.warnings.map(({ message }) => message).join()).toContain('page frames 0x1400-0x1800')
    // Nothing is missing in the output.
    expect(dump.kdump?.status).toBe(0)
  })

  it('is refused with --strict, before anything is written', async () => {
    await expect(filterBytes(source(), { level: 16, strict: true })).rejects.toMatchObject({
      code: 'FORMAT',
      exitCode: 3,
      found: expect.stringContaining('the memory map was overwritten'),
    })
  })
})
