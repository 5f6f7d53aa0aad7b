import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bitmap } from '../../../src/core/bitmap.ts'
import { cutSegments, type MemorySegment, usualShortestHole } from '../../../src/core/filter/elf-segments.ts'

const pageSize = 4096
const pages = (count: number) => count * pageSize

function bitmap(length: number, ...runs: readonly (readonly [number, number])[]): Bitmap {
  const made = new Bitmap(length)
  for (const [start, end] of runs) made.setRange(start, end)
  return made
}

function cut(
  segments: readonly Partial<MemorySegment>[],
  keep: Bitmap,
  readable = bitmap(10_000, [0, 10_000]),
) {
  const whole = segments.map((one) => ({ physical: 0, memorySize: 0, virtual: 0n, flags: 7, ...one }))
  return cutSegments(whole, { pageSize, keep, readable }).map(
    ({ physical, memorySize, fileSize, dataOffset }) => [physical, memorySize, fileSize, dataOffset],
  )
}

describe('cutSegments', () => {
  const segment = { memorySize: pages(1000) }

  it('leaves a segment whole when nothing is left out', () => {
    expect(cut([segment], bitmap(1000, [0, 1000]))).toEqual([[0, pages(1000), pages(1000), 0]])
  })

  it('stores a hole of 255 pages and cuts at one of 256', () => {
    expect(cut([segment], bitmap(1000, [0, 10], [265, 1000]))).toEqual([[0, pages(1000), pages(1000), 0]])
    expect(cut([segment], bitmap(1000, [0, 10], [266, 1000]))).toEqual([
      [0, pages(266), pages(10), 0],
      [pages(266), pages(734), pages(734), pages(10)],
    ])
  })

  it('never stores what is behind the last page that stays, however little it is', () => {
    expect(cut([segment], bitmap(1000, [0, 999]))).toEqual([[0, pages(1000), pages(999), 0]])
  })

  it('has a segment without data for a hole at the beginning', () => {
    expect(cut([segment], bitmap(1000, [300, 1000]))).toEqual([
      [0, pages(300), 0, 0],
      [pages(300), pages(700), pages(700), 0],
    ])
  })

  it('has a segment without data when nothing stays', () => {
    expect(cut([segment], bitmap(1000))).toEqual([[0, pages(1000), 0, 0]])
  })

  it('passes over a hole of a terabyte at once', () => {
    const huge = { memorySize: 2 ** 40 }
    expect(cut([huge], bitmap(20, [0, 10]))).toEqual([[0, 2 ** 40, pages(10), 0]])
  })

  it('does not store a short hole that the source does not have', () => {
    const readable = bitmap(1000, [0, 12], [13, 1000])
    expect(cut([segment], bitmap(1000, [0, 10], [15, 1000]), readable)).toEqual([
      [0, pages(15), pages(10), 0],
      [pages(15), pages(985), pages(985), pages(10)],
    ])
  })

  it('stores the bytes of a segment that begins or ends inside a page', () => {
    const odd = { physical: pages(3) + 0x180, memorySize: pages(2) }
    expect(cut([odd], bitmap(10, [3, 6]))).toEqual([[pages(3) + 0x180, pages(2), pages(2), 0]])
    // No struct page was asked about the head; the tail's was.
    expect(cut([odd], bitmap(10))).toEqual([[pages(3) + 0x180, pages(2), pageSize - 0x180, 0]])
  })

  it('leaves out memory above the last page that has a struct page', () => {
    expect(cut([{ physical: pages(900), memorySize: pages(200) }], bitmap(1000, [0, 1000]))).toEqual([
      [pages(900), pages(200), pages(100), 0],
    ])
  })

  it('keeps virtual beside physical addresses, modulo 2^64, and the flags', () => {
    const keep = bitmap(1000, [0, 1], [500, 1000])
    const virtual = 0xffff_ffff_ffff_f000n
    const [first, second] = cutSegments([{ physical: 0, memorySize: pages(1000), virtual, flags: 5 }], {
      pageSize,
      keep,
      readable: keep,
    })
    expect(first).toMatchObject({ virtual, flags: 5 })
    expect(second).toMatchObject({ virtual: BigInt(pages(500)) - 4096n, flags: 5 })
  })

  it('covers the memory of the source, and stores every page that stays', () => {
    const run = fc.record({ length: fc.integer({ min: 1, max: 300 }), keep: fc.boolean() })
    const layout = fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.array(run, { maxLength: 8 })), {
      minLength: 1,
      maxLength: 3,
    })
    fc.assert(
      fc.property(layout, (made) => {
        const keep = new Bitmap(20_000)
        const segments = made.map(([gap, runs], i) => {
          const start = i * 6000 + Math.floor(gap / 10)
          let pfn = start
          for (const { length, keep: stays } of runs) {
            if (stays) keep.setRange(pfn, pfn + length)
            pfn += length
          }
          return { physical: pages(start), memorySize: pages(pfn - start), virtual: 0n, flags: 7 }
        })
        const cuts = cutSegments(segments, { pageSize, keep, readable: bitmap(20_000, [0, 20_000]) })
        expect(cuts.reduce((sum, one) => sum + one.memorySize, 0)).toBe(
          segments.reduce((sum, one) => sum + one.memorySize, 0),
        )
        const stored = new Bitmap(20_000)
        let dataEnd = 0
        for (const { physical, fileSize, memorySize, dataOffset } of cuts) {
          expect(fileSize).toBeLessThanOrEqual(memorySize)
          expect(dataOffset).toBe(dataEnd)
          dataEnd += fileSize
          stored.setRange(physical / pageSize, (physical + fileSize) / pageSize)
        }
        expect(keep.and(stored).bytes).toEqual(keep.bytes)
        // Only short holes are stored besides.
        for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1)) {
          if (!keep.has(pfn)) expect(keep.next(pfn) - pfn).toBeLessThan(usualShortestHole)
        }
      }),
      { numRuns: 50 },
    )
  })
})
