import { describe, expect, it } from 'vitest'
import type { Abi } from '../../../src/core/struct.ts'
import {
  bitmapBytes,
  kdumpAbi,
  kdumpHeader,
  kdumpOffsets,
  pageDescriptor,
  subHeader,
} from '../../../src/formats/kdump/layout.ts'

const lp64 = kdumpAbi(8, true)
const i386 = kdumpAbi(4, true, 4)
const arm = kdumpAbi(4, true, 8)

// By hand from diskdump_mod.h and the rules of each ABI; test/interop/layout compares with a C compiler.
describe('kdump tables', () => {
  it.each([
    ['LP64', lp64, 464, { seconds: 408, microseconds: 416, status: 424, blockSize: 428, cpuCount: 460 }],
    ['i386', i386, 452, { seconds: 404, microseconds: 408, status: 412, blockSize: 416, cpuCount: 448 }],
    ['32-bit Arm', arm, 452, { seconds: 404, microseconds: 408, status: 412, blockSize: 416, cpuCount: 448 }],
  ] satisfies [string, Abi, number, object][])('have the header of %s', (_, abi, size, offsets) => {
    expect(kdumpHeader.layout(abi)).toMatchObject({
      size,
      offsets: { headerVersion: 8, utsname: 12, ...offsets },
    })
  })

  it.each([
    ['LP64', lp64, 104, [0, 8, 12, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88, 96]],
    ['i386', i386, 80, [0, 4, 8, 12, 16, 20, 28, 32, 40, 44, 52, 56, 64, 72]],
    ['32-bit Arm', arm, 96, [0, 4, 8, 12, 16, 24, 32, 40, 48, 56, 64, 72, 80, 88]],
  ] satisfies [string, Abi, number, number[]][])('have the sub-header of %s', (_, abi, size, offsets) => {
    const layout = subHeader.layout(abi)
    expect(layout.size).toBe(size)
    expect(Object.values(layout.offsets)).toEqual(offsets)
  })

  it.each([lp64, i386, arm])('have a page descriptor of 24 bytes on every ABI', (abi) => {
    expect(pageDescriptor.layout(abi)).toMatchObject({
      size: 24,
      offsets: { offset: 0, size: 8, flags: 12, pageFlags: 16 },
    })
  })
})

describe('offsets of a file', () => {
  it('are counted in blocks', () => {
    // 0x14000 pages of 64K: 10240 bytes of bitmap, one block each.
    const header = { blockSize: 65536, subHeaderBlocks: 1, bitmapBlocks: 2 }
    expect(kdumpOffsets(header, 0x14000)).toEqual({
      subHeader: 0x10000,
      bitmap1: 0x20000,
      bitmap2: 0x30000,
      descriptors: 0x40000,
    })
  })

  it('have one bitmap where there is no room for two', () => {
    expect(bitmapBytes(32769, 4096)).toBe(8192)
    const header = { blockSize: 4096, subHeaderBlocks: 1, bitmapBlocks: 3 }
    expect(kdumpOffsets(header, 32769)).toMatchObject({
      bitmap1: 0x2000,
      bitmap2: 0x2000,
      descriptors: 0x5000,
    })
  })
})
