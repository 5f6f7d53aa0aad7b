import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as r from '../../src/core/ranges.ts'

/** The model: a set of whole numbers. */
const numbers = (ranges: r.Ranges): Set<number> => {
  const set = new Set<number>()
  for (const { start, end } of ranges) for (let n = start; n < end; n++) set.add(n)
  return set
}

const anyRanges = fc.array(
  fc.tuple(fc.nat(60), fc.nat(12)).map(([start, size]) => ({ start, end: start + size })),
  { maxLength: 8 },
)
const sorted = (set: Iterable<number>): number[] => [...set].sort((a, b) => a - b)

describe('ranges', () => {
  it('merges touching and overlapping ranges and drops empty ones', () => {
    const list = [
      { start: 8, end: 10 },
      { start: 0, end: 4 },
      { start: 4, end: 6 },
      { start: 9, end: 12 },
      { start: 20, end: 20 },
    ]
    expect(r.makeRanges(list)).toEqual([
      { start: 0, end: 6 },
      { start: 8, end: 12 },
    ])
  })

  it('holds the laws of sets', () => {
    fc.assert(
      fc.property(anyRanges, anyRanges, fc.nat(80), (x, y, n) => {
        const a = r.makeRanges(x)
        const b = r.makeRanges(y)
        const inA = numbers(a)
        const inB = numbers(b)
        expect(sorted(numbers(r.makeRanges([...a, ...b])))).toEqual(sorted(new Set([...inA, ...inB])))
        expect(sorted(numbers(r.subtract(a, b)))).toEqual(sorted([...inA].filter((i) => !inB.has(i))))
        expect(sorted(numbers(r.intersect(a, b)))).toEqual(sorted([...inA].filter((i) => inB.has(i))))
        expect(r.totalSize(a)).toBe(inA.size)
        for (const range of b) expect(r.clip(a, range)).toEqual(r.intersect(a, [range]))
        expect(r.findRange(a, n) !== undefined).toBe(inA.has(n))
        for (const result of [r.subtract(a, b), r.intersect(a, b)]) {
          expect(r.makeRanges(result)).toEqual(result)
        }
      }),
      { verbose: true },
    )
  })
})
