import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PageBatch, pageFate, type WasmBuild } from '../../src/core/page-batch.ts'

/** The judge: the same question in plain TypeScript. */
const isZero = (page: Uint8Array): boolean => page.every((byte) => byte === 0)

const builds: readonly WasmBuild[] = ['pages-simd', 'pages-plain']

describe.each(builds)('PageBatch, %s', (build) => {
  it('finds a single bit anywhere in a page', () => {
    const memory = new PageBatch(3 * 4096, build)
    for (let byte = 0; byte < 4096; byte++) {
      memory.pages[4096 + byte] = 1 << (byte & 7)
      expect([...memory.findZeroPages(4096, 3)], `byte ${byte}`).toEqual([1, 0, 1])
      memory.pages[4096 + byte] = 0
    }
  })

  it('agrees with the plain loop for every page size', () => {
    const page = fc.tuple(fc.boolean(), fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(
        fc.constantFrom(4096, 16384, 65536),
        fc.array(page, { maxLength: 8 }),
        (pageSize, pages) => {
          const memory = new PageBatch(8 * pageSize, build)
          pages.forEach(([zero, at, value], i) => {
            if (!zero) memory.pages[i * pageSize + (at % pageSize)] = value
          })
          const expected = pages.map((_, i) =>
            isZero(memory.pages.subarray(i * pageSize, (i + 1) * pageSize)) ? 1 : 0,
          )
          expect([...memory.findZeroPages(pageSize, pages.length)]).toEqual(expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('leaves its answer of an earlier batch out of a shorter one', () => {
    const memory = new PageBatch(4 * 4096, build)
    expect([...memory.findZeroPages(4096, 4)]).toEqual([1, 1, 1, 1])
    memory.pages.fill(1)
    expect([...memory.findZeroPages(4096, 2)]).toEqual([0, 0])
  })

  it('refuses more pages than it has room for', () => {
    expect(() => new PageBatch(4096, build).findZeroPages(4096, 2)).toThrow(RangeError)
  })
})

describe.each(builds)('packing nothing, %s', (build) => {
  const pageSize = 4096
  const pages = [new Uint8Array(pageSize), new Uint8Array(pageSize).fill(7), new Uint8Array(pageSize)]
  const batch = new PageBatch(3 * pageSize, build)
  pages.forEach((page, i) => {
    batch.pages.set(page, i * pageSize)
  })

  it('leaves out lost pages, and zero pages that share their bytes', () => {
    const sizes = Int32Array.of(0, 0, pageFate.lost)
    expect(Buffer.compare(batch.pack(0, pageSize, sizes, true), pages[1] as Uint8Array)).toBe(0)
    expect([...sizes]).toEqual([pageFate.zero, pageSize, pageFate.lost])
  })

  it('puts zero pages in their places when they share nothing', () => {
    const sizes = new Int32Array(3)
    expect(Buffer.compare(batch.pack(0, pageSize, sizes, false), Buffer.concat(pages))).toBe(0)
    expect([...sizes]).toEqual([pageSize, pageSize, pageSize])
  })

  it('refuses more pages than it has room for', () => {
    expect(() => batch.pack(0, pageSize, new Int32Array(4), false)).toThrow(RangeError)
  })
})
