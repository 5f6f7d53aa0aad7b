import { describe, expect, it } from 'vitest'
import { makeChainCheck, walkList } from '../../../src/core/kernel/lists.ts'
import { kernelBase, makeKernelMemory } from '../../make/kernel-memory.ts'

/** Elements of 16 bytes: each number is the element that its `next` points to. */
function listOf(next: readonly number[], limit = 1000): number[] {
  const bytes = Buffer.alloc(16 * next.length)
  for (const [i, to] of next.entries()) bytes.writeBigUInt64LE(kernelBase + BigInt(16 * to), 16 * i)
  return Array.from(
    walkList(makeKernelMemory(bytes), kernelBase, limit),
    (at) => Number(at - kernelBase) / 16,
  )
}

describe('a list of the kernel', () => {
  it('ends at its head', () => {
    expect(listOf([0])).toEqual([])
    expect(listOf([2, 0, 3, 1])).toEqual([2, 3, 1])
  })

  it('is refused when it does not come back to its head, or is absurdly long', () => {
    expect(() => listOf([1, 2, 3, 2])).toThrow('runs in a circle')
    expect(() => listOf([1, 1])).toThrow('runs in a circle')
    expect(() => listOf([1, 2, 3, 0], 2)).toThrow('more than 2 elements')
  })

  it('is known to run in a circle before it was walked three times', () => {
    for (let tail = 0; tail < 20; tail++) {
      for (let circle = 1; circle < 20; circle++) {
        const check = makeChainCheck('it', 1000)
        let steps = 0
        expect(() => {
          for (let i = 0; ; i++, steps++) check(BigInt(i < tail ? i : tail + ((i - tail) % circle)))
        }).toThrow('it runs in a circle')
        expect(steps).toBeLessThanOrEqual(3 * (tail + circle))
      }
    }
  })
})
