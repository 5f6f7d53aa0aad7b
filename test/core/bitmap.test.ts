import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bitmap } from '../../src/core/bitmap.ts'

describe('bitmap', () => {
  it('puts bit n in byte n>>3 under mask 1<<(n&7), as kdump files do', () => {
    const bitmap = new Bitmap(20)
    bitmap.set(0)
    bitmap.set(9)
    bitmap.set(19)
    expect([...bitmap.bytes]).toEqual([0x01, 0x02, 0x08])
  })

  it('agrees with an array of booleans', () => {
    const step = fc.record({ set: fc.boolean(), start: fc.nat(150), size: fc.nat(60) })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        fc.nat(4),
        fc.array(step, { maxLength: 12 }),
        (length, at, steps) => {
          // Somewhere in a buffer, so that its words are not always aligned.
          const bitmap = new Bitmap(length, new Uint8Array(40).subarray(at, at + Math.ceil(length / 8)))
          const model: boolean[] = new Array(length).fill(false)
          for (const { set, start, size } of steps) {
            const before = model.slice(start, start + size).filter(Boolean).length
            model.fill(set, Math.min(start, length), Math.min(start + size, length))
            if (set) bitmap.setRange(start, start + size)
            else expect(bitmap.clearRange(start, start + size)).toBe(before)
          }
          expect(model.map((_, i) => bitmap.has(i))).toEqual(model)
          expect(bitmap.has(length)).toBe(false)
          expect(bitmap.count()).toBe(model.filter(Boolean).length)
          expect(bitmap.count(3, 77)).toBe(model.slice(3, 77).filter(Boolean).length)
          for (const from of [0, 5, 64]) {
            expect(bitmap.next(from)).toBe(model.indexOf(true, from))
            const clear = model.indexOf(false, from)
            expect(bitmap.nextClear(from)).toBe(clear < 0 ? length : clear)
          }
          const inRuns = new Array(length).fill(false)
          for (const { start, end } of bitmap.runs(3, 77)) inRuns.fill(true, start, end)
          expect(inRuns).toEqual(model.map((bit, i) => bit && i >= 3 && i < 77))
          for (const size of [1, 17, 200]) {
            const resized = bitmap.resized(size)
            expect(Array.from({ length: size }, (_, i) => resized.has(i))).toEqual(
              Array.from({ length: size }, (_, i) => model[i] ?? false),
            )
            const both = resized.and(bitmap)
            expect(both.count()).toBe(model.slice(0, size).filter(Boolean).length)
          }
        },
      ),
      { verbose: true },
    )
  })

  it('agrees with a set of numbers across holes of gigabytes, and takes time for the bits alone', () => {
    const length = 2 ** 31
    const bit = fc.nat(40).chain((n) => fc.nat(2 ** 16).map((low) => Math.min(n * 2 ** 26 + low, length - 1)))
    const change = fc.record({ set: fc.boolean(), start: bit, size: fc.nat(3000) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 12 }), bit, (changes, from) => {
        const bitmap = new Bitmap(length)
        const model = new Set<number>()
        for (const { set, start, size } of changes) {
          const end = Math.min(start + size, length)
          let before = 0
          for (let n = start; n < end; n++) {
            if (model.has(n)) before++
            if (set) model.add(n)
            else model.delete(n)
          }
          if (set) bitmap.setRange(start, end)
          else expect(bitmap.clearRange(start, end)).toBe(before)
        }
        const sorted = [...model].sort((a, b) => a - b)
        const next = sorted.find((n) => n >= from) ?? -1
        for (const one of [bitmap, bitmap.clone(), bitmap.and(bitmap), bitmap.first(length)]) {
          expect(one.count()).toBe(sorted.length)
          expect(one.next(from)).toBe(next)
        }
        const within = bitmap.within({ start: from, end: from + 5000 })
        expect(within.count()).toBe(sorted.filter((n) => n >= from && n < from + 5000).length)
        expect(bitmap.clearRange(0, length)).toBe(sorted.length)
        expect(bitmap.next(0)).toBe(-1)
      }),
      { numRuns: 30 },
    )
  })
})
