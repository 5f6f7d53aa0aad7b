// Kernel memory in a buffer: virtual address = base + offset, physical address = offset. Parts of it
// can be missing, as pages of a filtered or cut dump are.

import { Bitmap } from '../../src/core/bitmap.ts'
import { FaultError } from '../../src/core/errors.ts'
import { VirtualMemory } from '../../src/core/memory/virtual.ts'
import { overlaps, type Range } from '../../src/core/ranges.ts'

export const kernelBase = 0xffff_8000_0000_0000n

export function makeKernelMemory(bytes: Uint8Array, missing: readonly Range[] = []): VirtualMemory {
  const physical = {
    ranges: [{ start: 0, end: bytes.length }],
    read(address: number, into: Uint8Array): void {
      const wanted = { start: address, end: address + into.length }
      const gap = missing.find((range) => overlaps(range, wanted))
      if (gap !== undefined) {
        throw new FaultError('physical', Math.max(address, gap.start), into.length, 'excluded')
      }
      into.set(bytes.subarray(wanted.start, wanted.end))
    },
    storedPages: (pageSize: number) => new Bitmap(Math.ceil(bytes.length / pageSize)),
    [Symbol.dispose]() {},
  }
  const whole = { start: kernelBase, end: kernelBase + BigInt(bytes.length), physical: 0 }
  const map = (address: bigint) => (address >= whole.start && address < whole.end ? whole : undefined)
  return new VirtualMemory(physical, { fixed: [], map, walk: map }, { pageSize: 4096, littleEndian: true })
}
