import { describe, expect, it } from 'vitest'
import { elfcorehdrSize, makeCoreHeaders, writeElfcorehdr } from '../../../src/core/capture/elfcorehdr.ts'
import type { Ranges } from '../../../src/core/ranges.ts'

const config = {
  bootMemoryRegions: [{ address: 0, size: 0x14000000, copy: 0x30010000 }],
  bootMemoryTop: 0x14000000,
  reserveStart: 0x30000000,
  reserveSize: 0x140101b0,
}
const inputs = (memory: Ranges) => ({
  config,
  memory,
  notes: { start: 0x13ff0000, end: 0x14000000 },
  vmcoreinfo: { start: 0x32550000, end: 0x32560024 },
})
/** Type, physical, offset and size of the headers after the two notes. */
const loads = (memory: Ranges) =>
  makeCoreHeaders(inputs(memory))
    .slice(2)
    .map(({ type, physical, offset, memorySize }) => [type, Number(physical), offset, memorySize])

describe('ELF core header', () => {
  it('has CPU notes, VMCOREINFO, boot memory, and the rest around the dump area', () => {
    expect(makeCoreHeaders(inputs([{ start: 0, end: 0x80000000 }]))).toMatchObject([
      { type: 4, offset: 0x13ff0000, physical: 0x13ff0000n, fileSize: 0x10000, flags: 0, virtual: 0n },
      { type: 4, offset: 0x32550000, physical: 0x32550000n, fileSize: 0x10024 },
      { type: 1, offset: 0x30010000, physical: 0n, virtual: 0xc000000000000000n, flags: 7, align: 0 },
      { type: 1, offset: 0x14000000, physical: 0x14000000n, virtual: 0xc000000014000000n },
      { type: 1, offset: 0x440101b0, physical: 0x440101b0n, memorySize: 0x3bfefe50 },
    ])
  })

  const boot = [1, 0, 0x30010000, 0x14000000]
  it.each([
    ['only below the area', 0x40000000, [[1, 0x14000000, 0x14000000, 0x1c000000]]],
    ['up to the area', 0x30000000, [[1, 0x14000000, 0x14000000, 0x1c000000]]],
    ['no more than boot memory', 0x14000000, []],
  ])('of memory %s', (_, end, rest) => {
    expect(loads([{ start: 0, end }])).toEqual([boot, ...rest])
  })

  it('exports ranges by themselves, and only the part of them above boot memory', () => {
    const memory = [
      { start: 0, end: 0x18000000 },
      { start: 0x20000000, end: 0x28000000 },
      { start: 0x38000000, end: 0x50000000 },
    ]
    expect(loads(memory)).toEqual([
      boot,
      [1, 0x14000000, 0x14000000, 0x4000000],
      [1, 0x20000000, 0x20000000, 0x8000000],
      [1, 0x440101b0, 0x440101b0, 0xbfefe50],
    ])
  })

  it('leaves an empty header for a range inside the area, as the kernel does', () => {
    const memory = [
      { start: 0, end: 0x14000000 },
      { start: 0x30000000, end: 0x38000000 },
    ]
    expect(loads(memory)).toEqual([boot, [0, 0, 0, 0]])
    const bytes = Buffer.from(writeElfcorehdr(makeCoreHeaders(inputs(memory)), 2))
    expect(bytes.readUInt16LE(56)).toBe(4)
    expect(bytes.subarray(64 + 3 * 56).equals(Buffer.alloc(56))).toBe(true)
  })

  it('starts as the real one, but for the number of headers', () => {
    const real = '7f454c46020101000000000000000000040015000100000000000000000000004000000000000000'
    const rest = '000000000000000002000000400038000500000000000000'
    const bytes = writeElfcorehdr(makeCoreHeaders(inputs([{ start: 0, end: 0x80000000 }])), 2)
    expect(Buffer.from(bytes.subarray(0, 64)).toString('hex')).toBe(real + rest)
  })

  it('takes whole pages for two notes, boot memory and every range of memory', () => {
    const memory = Array.from({ length: 1168 }, (_, i) => ({ start: i * 2, end: i * 2 + 1 }))
    expect(elfcorehdrSize(config, { memory, pageSize: 65536 })).toBe(131072)
    expect(elfcorehdrSize(config, { memory: memory.slice(2), pageSize: 65536 })).toBe(65536)
  })
})
