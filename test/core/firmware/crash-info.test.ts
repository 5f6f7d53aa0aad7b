import { describe, expect, it } from 'vitest'
import { relocate } from '../../../src/core/firmware/crash-info.ts'

describe('relocation of VMCOREINFO', () => {
  it('is what the real kernel wrote: 0x2540000 is found at 0x16550000', () => {
    expect(relocate([{ address: 0, size: 0x14000000, copy: 0x14010000 }], 0x2540000)).toBe(0x16550000)
  })

  it.each([
    [0xfffffff, 0x40ffffff],
    [0x20000000, 0x41000000],
    [0x21000005, 0x42000005],
    // In the hole, and above boot memory: not moved.
    [0x10000000, 0x10000000],
    [0x30000000, 0x30000000],
  ])('squeezes out holes: %d is found at %d', (address, found) => {
    const regions = [
      { address: 0, size: 0x10000000, copy: 0x31000000 },
      { address: 0x20000000, size: 0x4000000, copy: 0x41000000 },
    ]
    expect(relocate(regions, address)).toBe(found)
  })
})
