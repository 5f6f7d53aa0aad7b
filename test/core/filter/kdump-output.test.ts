import { createHash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { readPages } from '../../../src/core/filter/page-reader.ts'
import { openSource } from '../../../src/formats/index.ts'
import { type MadeSegment, makeElfCore, makePrstatus, pattern } from '../../make/elf-core.ts'
import { type Filtered, filterBytes } from '../../make/filtered.ts'
import { filledPage, makeKdump } from '../../make/kdump.ts'
import { samplePage } from '../../make/sample-page.ts'

const pageSize = 4096
const zeros = new Uint8Array(pageSize)
/** No codec makes it smaller. */
const noise = Buffer.concat(
  Array.from({ length: pageSize / 64 }, (_, i) => createHash('sha512').update(`${i}`).digest()),
)

/** Page frames 2 to 5 and 9: sample, zero, noise, zero; sample. */
const segments: MadeSegment[] = [
  { physical: 2 * pageSize, data: Buffer.concat([samplePage(), zeros, noise, zeros]) },
  { physical: 9 * pageSize, data: samplePage() },
]
const notes = Buffer.concat([makePrstatus(336), makePrstatus(336)])
const source = makeElfCore({ segments, noteAreas: [notes] })

// Offsets by hand: header and sub-header take a block each, both bitmaps one each.
const noteOffset = 4096 + 104
const bitmap1 = 2 * 4096
const bitmap2 = 3 * 4096
const descriptorsAt = 4 * 4096

function descriptors({ view }: Filtered, count: number) {
  return Array.from({ length: count }, (_, i) => {
    const at = descriptorsAt + 24 * i
    return {
      offset: Number(view.getBigUint64(at, true)),
      size: view.getUint32(at + 8, true),
      flags: view.getUint32(at + 12, true),
    }
  })
}

describe('a kdump file', () => {
  it('has header, notes and bitmaps where makedumpfile puts them', async () => {
    const { bytes, view } = await filterBytes(source)
    expect(Buffer.from(bytes.subarray(0, 8)).toString()).toBe('KDUMP   ')
    const header = [8, 428, 432, 436, 440, 444, 448, 452, 456, 460].map((at) => view.getInt32(at, true))
    expect(header).toEqual([6, 4096, 1, 2, 10, 0, 0, 0, 0, 2])
    expect(view.getBigUint64(408, true)).toBe(0n)
    expect(view.getBigUint64(416, true)).toBe(0n)
    expect(Buffer.from(bytes.subarray(272, 279)).toString()).toBe('x86_64\0')
    expect(view.getBigUint64(4096 + 48, true)).toBe(BigInt(noteOffset))
    expect(view.getBigUint64(4096 + 56, true)).toBe(BigInt(notes.length))
    expect(view.getBigUint64(4096 + 96, true)).toBe(10n)
    expect(Buffer.from(bytes.subarray(noteOffset, noteOffset + notes.length))).toEqual(notes)
    for (const at of [bitmap1, bitmap2])
      expect([...bytes.subarray(at, at + 3)]).toEqual([0b0011_1100, 0b10, 0])
  })

  it('stores pages one after the other behind the descriptors', async () => {
    const filtered = await filterBytes(source)
    const start = descriptorsAt + 5 * 24
    expect(descriptors(filtered, 5)).toEqual(
      [0, 1, 2, 3, 4].map((i) => ({ offset: start + i * pageSize, size: pageSize, flags: 0 })),
    )
    expect(filtered.bytes.length).toBe(start + 5 * pageSize)
    expect(filtered.view.getUint32(424, true)).toBe(0)
    expect(Buffer.from(filtered.bytes.subarray(start, start + pageSize))).toEqual(Buffer.from(samplePage()))
  })

  it('compresses pages with zlib, but not those that would not get smaller', async () => {
    const filtered = await filterBytes(source, { codec: 'zlib' })
    const list = descriptors(filtered, 5)
    expect(list.map(({ flags }) => flags)).toEqual([1, 1, 0, 1, 1])
    expect(filtered.view.getUint32(424, true)).toBe(1)
    const unpacked = list.map(({ offset, size, flags }) => {
      const stored = filtered.bytes.subarray(offset, offset + size)
      return flags === 0 ? Buffer.from(stored) : inflateSync(stored)
    })
    expect(unpacked).toEqual(
      [samplePage(), zeros, noise, zeros, samplePage()].map((page) => Buffer.from(page)),
    )
    let end = descriptorsAt + 5 * 24
    for (const { offset, size } of list) {
      expect(offset).toBe(end)
      end += size
    }
    expect(end).toBe(filtered.bytes.length)
  })

  it('shares one page of zeros, the first of all, when zero pages are left out', async () => {
    const filtered = await filterBytes(source, { level: 1 })
    const start = descriptorsAt + 5 * 24
    const at = (i: number) => ({ offset: start + i * pageSize, size: pageSize, flags: 0 })
    expect(descriptors(filtered, 5)).toEqual([at(1), at(0), at(2), at(0), at(3)])
    expect(filtered.bytes.subarray(start, start + pageSize).every((byte) => byte === 0)).toBe(true)
    expect(filtered.result.pages).toMatchObject({
      total: 10,
      existing: 5,
      zero: 2,
      kept: 3,
      missing: 0,
      lost: 0,
    })
    expect(filtered.result.storedPages).toBe(5)
  })

  it('has the shared page of zeros even if no page is zero', async () => {
    const { bytes } = await filterBytes(makeElfCore({ segments: [{ physical: 0, data: noise }] }), {
      level: 1,
    })
    expect(bytes.length).toBe(descriptorsAt + 24 + 2 * pageSize)
  })

  it('is in the byte order of the dumped machine', async () => {
    const data = pattern(pageSize)
    const big = makeElfCore({ segments: [{ physical: 0, data }], machine: 22, littleEndian: false })
    const { view, dump } = await filterBytes(big, { codec: 'zlib' })
    expect(view.getInt32(428, false)).toBe(4096)
    expect(view.getBigUint64(descriptorsAt, false)).toBe(BigInt(descriptorsAt + 24))
    const page = new Uint8Array(pageSize)
    dump.memory.read(0, page)
    expect(Buffer.compare(page, data)).toBe(0)
  })

  it('has blocks of 64 KiB when the dump of a Power machine says no page size and its segments fit', async () => {
    const data = new Uint8Array(2 ** 17)
    const { view } = await filterBytes(makeElfCore({ segments: [{ physical: 2 ** 16, data }], machine: 21 }))
    expect(view.getInt32(428, true)).toBe(65536)
  })
})

describe('a source with losses', () => {
  const kdump = (pages: Parameters<typeof makeKdump>[0]['pages'], status = 0) =>
    makeKdump({ pages, maxMapnr: 20, excluded: [7], header: { status }, sub: { dumpLevel: 0 } })

  it('marks a page that cannot be read in its descriptor and the file as incomplete', async () => {
    const filtered = await filterBytes(kdump([{ pfn: 3 }, { pfn: 4, flags: 1 }, { pfn: 5, flags: 0x40 }]), {
      codec: 'zlib',
    })
    expect(descriptors(filtered, 3).slice(1)).toEqual([
      { offset: 0, size: 0, flags: 0 },
      { offset: 0, size: 0, flags: 0 },
    ])
    expect(filtered.view.getUint32(424, true)).toBe(1 | 8)
    expect(filtered.result).toMatchObject({
      incomplete: true,
      pages: { existing: 4, kept: 1, lost: 2, missing: 1 },
      warnings: [{ code: 'LOST_PAGES' }],
    })
    const page = new Uint8Array(pageSize)
    filtered.dump.memory.read(3 * pageSize, page)
    expect(page).toEqual(filledPage(3))
    expect(() => filtered.dump.memory.read(4 * pageSize, page)).toThrow('cut short or damaged')
  })

  it('stays marked as incomplete', async () => {
    const { view, result } = await filterBytes(kdump([{ pfn: 3 }], 8))
    expect(view.getUint32(424, true)).toBe(8)
    expect(result.incomplete).toBe(true)
  })

  it('gives what is there of a core file that is cut short inside a page', async () => {
    const { result, dump } = await filterBytes(source.subarray(0, source.length - pageSize - 100))
    expect(result).toMatchObject({ incomplete: true, pages: { existing: 5, kept: 3, lost: 1, missing: 1 } })
    expect(dump.memory.storedPages(pageSize).count()).toBe(3)
  })
})

describe('the dump level', () => {
  it('is what was asked for and what the source was filtered with', async () => {
    const once = await filterBytes(source, { level: 1 })
    const again = await filterBytes(once.bytes, { level: 0 })
    expect(again.result).toMatchObject({ requestedLevel: 0, level: 1 })
    expect(again.view.getInt32(4096 + 8, true)).toBe(1)
    expect(Buffer.compare(again.bytes, once.bytes)).toBe(0)
  })

  it('has five bits, whatever a damaged header says', async () => {
    const made = makeKdump({ pages: [{ pfn: 1 }], maxMapnr: 20, sub: { dumpLevel: 0x7fff_ffe1 } })
    expect((await filterBytes(made, { level: 0 })).result.level).toBe(1)
  })

  it.each([2, 4, 8, 16, 31])('%i needs to know the kernel', async (level) => {
    await expect(filterBytes(source, { level })).rejects.toMatchObject({
      code: 'KERNEL',
      hint: /-d 0 or -d 1/,
    })
  })

  it.each([-1, 32, 1.5])('%d does not exist', async (level) => {
    await expect(filterBytes(source, { level })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('any machine', () => {
  const contents = { zeros, sample: samplePage(), noise, pattern: pattern(pageSize) }
  const page = fc.constantFrom('zeros' as const, 'sample' as const, 'noise' as const, 'pattern' as const)
  const segment = fc.record({
    at: fc.integer({ min: 0, max: 40 * pageSize }),
    pages: fc.array(page, { minLength: 1, maxLength: 5 }),
    cut: fc.integer({ min: 0, max: pageSize - 1 }),
    missing: fc.constantFrom(0, pageSize, 3 * pageSize),
  })

  it('reads back page by page, and its pages add up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { minLength: 1, maxLength: 5 }),
        fc.constantFrom(0, 1),
        fc.constantFrom('zlib' as const, undefined),
        async (list, level, codec) => {
          const made = list.map(({ at, pages, cut, missing }) => {
            const data = Buffer.concat(pages.map((name) => contents[name])).subarray(cut)
            return { physical: at, data, memorySize: data.length + missing }
          })
          const bytes = makeElfCore({ segments: made })
          const input = openSource(new BufferSource(bytes))
          const { result, dump } = await filterBytes(bytes, { level, codec })
          const { existing, kept, zero, missing, lost } = result.pages
          expect(existing).toBe(kept + zero + missing + lost)
          const stored = dump.memory.storedPages(pageSize)
          expect(stored.count()).toBe(result.storedPages)
          const read = (memory: typeof dump.memory, pfn: number) => {
            const into = new Uint8Array(pageSize)
            const isLost = readPages(memory, pageSize, pfn * pageSize, into).length > 0
            return isLost ? undefined : Buffer.from(into)
          }
          for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1)) {
            const expected = read(input.memory, pfn)
            const found = read(dump.memory, pfn)
            expect(
              found === undefined || expected === undefined ? found === expected : found.equals(expected),
            ).toBe(true)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})
