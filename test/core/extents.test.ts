import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExtentList, type ExtentMap } from '../../src/core/extents.ts'

type Extent = readonly [start: number, end: number, offset: number]

function overlay(list: readonly Extent[], winner?: 'earlier' | 'later'): ExtentMap {
  const extents = new ExtentList()
  for (const extent of list) extents.push(...extent)
  return extents.overlay(winner)
}

const all = (map: ExtentMap): Extent[] =>
  Array.from({ length: map.length }, (_, i) => [map.start(i), map.end(i), map.offset(i)] as const)

describe('overlay of extents', () => {
  it('keeps the earlier extent and cuts the later one around it', () => {
    const map = overlay([
      [20, 30, 1000],
      [0, 100, 0],
    ])
    expect(all(map)).toEqual([
      [0, 20, 0],
      [20, 30, 1000],
      [30, 100, 30],
    ])
  })

  it('lets one extent cover several later ones', () => {
    expect(
      all(
        overlay([
          [10, 60, 500],
          [0, 20, 0],
          [30, 40, 0],
          [50, 70, 100],
        ]),
      ),
    ).toEqual([
      [0, 10, 0],
      [10, 60, 500],
      [60, 70, 110],
    ])
  })

  it('does not move the reason of an extent that is not stored', () => {
    expect(
      all(
        overlay([
          [4, 8, 40],
          [0, 12, -2],
        ]),
      ),
    ).toEqual([
      [0, 4, -2],
      [4, 8, 40],
      [8, 12, -2],
    ])
  })

  it('forgets empty extents', () => {
    expect(overlay([[5, 5, 0]]).length).toBe(0)
  })

  it.each(['earlier', 'later'] as const)(
    'gives every address what the %s extent says, for any list',
    (winner) => {
      const extent = fc.tuple(fc.nat(60), fc.nat(12), fc.nat(500))
      fc.assert(
        fc.property(fc.array(extent, { maxLength: 12 }), (list) => {
          const extents = list.map(([start, length, offset]): Extent => [start, start + length, offset])
          const map = overlay(extents, winner)
          const inOrder = winner === 'earlier' ? extents : extents.toReversed()
          for (let address = 0; address < 80; address++) {
            const first = inOrder.find(([start, end]) => address >= start && address < end)
            const i = map.find(address)
            const seen = i < map.length && map.start(i) <= address
            expect(seen).toBe(first !== undefined)
            if (first !== undefined) {
              expect(map.offset(i) + address - map.start(i)).toBe(first[2] + address - first[0])
            }
          }
        }),
      )
    },
  )

  it('takes a list in the worst order in n log n steps', () => {
    const list = Array.from({ length: 100_000 }, (_, i): Extent => [1e6 - 5 * i, 1e6 - 5 * i + 7, i])
    const map = overlay(list)
    expect(map.length).toBe(100_000)
    expect(map.end(map.length - 1)).toBe(1_000_007)
  })
})
