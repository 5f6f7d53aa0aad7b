import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits, makePageEdits } from '../../../src/core/memory/page-edits.ts'

const range = fc
  .tuple(fc.nat(200), fc.integer({ min: 1, max: 40 }))
  .map(([start, size]) => ({ start, end: start + size }))

describe('edits of memory', () => {
  it('fill what is erased with X and what is nullified with zero, as if applied byte by byte', () => {
    fc.assert(
      fc.property(
        fc.array(range),
        fc.array(range),
        fc.nat(240),
        fc.nat(60),
        (erased, zeroed, address, size) => {
          const expected = new Uint8Array(size).fill(7)
          for (const [list, fill] of [
            [zeroed, 0],
            [erased, 0x58],
          ] as const) {
            for (const { start, end } of list) {
              for (let at = start; at < end; at++)
                if (at >= address && at < address + size) expected[at - address] = fill
            }
          }
          const bytes = new Uint8Array(size).fill(7)
          applyEdits(makePageEdits(erased, zeroed), address, bytes)
          expect(bytes).toEqual(expected)
        },
      ),
    )
  })
})
