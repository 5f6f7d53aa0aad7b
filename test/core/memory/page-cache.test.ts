import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makePageCache } from '../../../src/core/memory/page-cache.ts'

/** A cache of `pages` pages of 4 bytes, each filled with its number, and the list of loads. */
function numbered(pages: number) {
  const loads: number[] = []
  const load = (page: number, into: Uint8Array) => {
    loads.push(page)
    if (page === 13) throw new Error('page 13 is damaged')
    into.fill(page)
  }
  return { loads, cache: makePageCache({ pageSize: 4, limit: pages * 4, load }) }
}

describe('page cache', () => {
  it('loads a page once while it is in use', () => {
    const { cache, loads } = numbered(2)
    for (const page of [1, 1, 2, 1, 2]) expect([...cache.get(page)]).toEqual([page, page, page, page])
    expect(loads).toEqual([1, 2])
  })

  it('gives up the page that was not used for longest', () => {
    const { cache, loads } = numbered(2)
    for (const page of [1, 2, 1, 3, 1, 2]) cache.get(page)
    expect(loads).toEqual([1, 2, 3, 2])
  })

  it('keeps nothing of a page that could not be loaded, and works on', () => {
    const { cache, loads } = numbered(2)
    cache.get(1)
    expect(() => cache.get(13)).toThrow('page 13 is damaged')
    expect(() => cache.get(13)).toThrow('page 13 is damaged')
    expect([...cache.get(1)]).toEqual([1, 1, 1, 1])
    expect(loads).toEqual([1, 13, 13])
  })

  it('gives the right bytes and never keeps more than the limit, for any sequence', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(fc.nat(12)), (limit, pages) => {
        const buffers = new Set<Uint8Array>()
        const { cache } = numbered(limit)
        for (const page of pages) {
          const bytes = cache.get(page)
          expect([...bytes]).toEqual([page, page, page, page])
          buffers.add(bytes)
        }
        expect(buffers.size).toBeLessThanOrEqual(limit)
      }),
    )
  })
})
