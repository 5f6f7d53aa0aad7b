import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { readPages } from '../../../src/core/filter/page-reader.ts'
import { openSource } from '../../../src/formats/index.ts'
import { type MadeSegment, makeElfCore, pattern } from '../../make/elf-core.ts'

const pageSize = 4096

const memoryOf = (...segments: MadeSegment[]) =>
  openSource(new BufferSource(makeElfCore({ segments }))).memory

function read(segments: MadeSegment[], address: number, pages: number) {
  const into = new Uint8Array(pages * pageSize).fill(0xee)
  const lost = readPages(memoryOf(...segments), pageSize, address, into)
  return { lost, into }
}

describe('readPages', () => {
  it('reads pages that are all there', () => {
    const data = pattern(3 * pageSize)
    expect(read([{ physical: 0x10000, data }], 0x10000, 3)).toEqual({ lost: [], into: data })
  })

  it('fills with zeros what never existed before and behind a segment inside its pages', () => {
    const data = pattern(pageSize, 7)
    const { lost, into } = read([{ physical: 0x10180, data }], 0x10000, 2)
    expect(lost).toEqual([])
    expect(into.subarray(0, 0x180).every((byte) => byte === 0)).toBe(true)
    expect(into.subarray(0x180, 0x180 + pageSize)).toEqual(data)
    expect(into.subarray(0x180 + pageSize).every((byte) => byte === 0)).toBe(true)
  })

  it('stitches a page from several segments', () => {
    const first = pattern(0x300, 1)
    const second = pattern(0x200, 99)
    const { lost, into } = read(
      [
        { physical: 0x10900, data: second },
        { physical: 0x10000, data: first },
      ],
      0x10000,
      1,
    )
    expect(lost).toEqual([])
    expect(into.subarray(0, 0x300)).toEqual(first)
    expect(into.subarray(0x900, 0xb00)).toEqual(second)
    expect(into.subarray(0x300, 0x900).every((byte) => byte === 0)).toBe(true)
  })

  it('names the pages that are lost and leaves nothing of other pages in them', () => {
    const data = pattern(2 * pageSize + 100, 3)
    const { lost, into } = read([{ physical: 0x10000, data, memorySize: 4 * pageSize }], 0x10000, 4)
    expect(lost).toEqual([2, 3])
    expect(into.subarray(0, 2 * pageSize)).toEqual(data.subarray(0, 2 * pageSize))
    expect(into.subarray(2 * pageSize).every((byte) => byte === 0)).toBe(true)
  })

  it('gives the same bytes however the pages are asked for', () => {
    const segment = fc.record({
      at: fc.integer({ min: 0, max: 8 * pageSize }),
      size: fc.integer({ min: 1, max: 3 * pageSize }),
      missing: fc.integer({ min: 0, max: pageSize }),
    })
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 4 }), (list) => {
        const memory = memoryOf(
          ...list.map(({ at, size, missing }, i) => ({
            physical: at,
            data: pattern(size, 50 * i + 1),
            memorySize: size + missing,
          })),
        )
        const all = new Uint8Array(12 * pageSize).fill(0xee)
        const lost = readPages(memory, pageSize, 0, all)
        const single = new Uint8Array(12 * pageSize).fill(0xdd)
        const lostOneByOne: number[] = []
        for (let i = 0; i < 12; i++) {
          const page = single.subarray(i * pageSize, (i + 1) * pageSize)
          if (readPages(memory, pageSize, i * pageSize, page).length > 0) lostOneByOne.push(i)
        }
        expect(lostOneByOne).toEqual(lost)
        expect(Buffer.compare(single, all)).toBe(0)
      }),
      { numRuns: 100 },
    )
  })
})
