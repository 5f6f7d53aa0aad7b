import { describe, expect, it } from 'vitest'
import { GiB, MiB } from '../../../src/core/address.ts'
import {
  parseCrashkernel,
  parseFadumpParameters,
  readSize,
} from '../../../src/core/firmware/kernel-parameters.ts'

describe('fadump=', () => {
  it.each([
    ['', false, false],
    ['quiet', false, false],
    ['fadump=on', true, false],
    ['fadump=off', false, false],
    ['fadump=nocma', true, true],
    ['fadump=online', true, false],
    ['fadump=on fadump=off', false, false],
    ['fadump=off fadump=on', true, false],
    ['fadump=nocma fadump=on', true, true],
    ['fadump=nocma fadump=off', false, true],
    ['fadump', false, false],
    ['xfadump=on', false, false],
    ['init=/bin/sh -- fadump=on', false, false],
    ['name="a fadump=on b"', false, false],
    ['"fadump=on"', true, false],
  ])('%j enables %s, nocma %s', (line, enabled, nocma) => {
    expect(parseFadumpParameters(line)).toMatchObject({ enabled, nocma })
  })

  it('reads the deprecated size, whichever way it is spelled', () => {
    expect(parseFadumpParameters('fadump_reserve_mem=512M').reserveMemory).toBe(512 * MiB)
    expect(parseFadumpParameters('fadump-reserve-mem=1G').reserveMemory).toBe(GiB)
  })
})

describe('memparse', () => {
  it.each([
    ['512M', 512 * MiB, 4],
    ['0x10k', 16384, 5],
    ['010', 8, 3],
    ['0', 0, 1],
    ['2gX', 2 * GiB, 2],
    ['M', 0, 0],
    ['', 0, 0],
  ])('%j is %d', (text, size, end) => {
    expect(readSize(text, 0)).toEqual({ size, end })
  })
})

describe('crashkernel=', () => {
  const size = (text: string, ram = 8 * GiB) => parseCrashkernel(text, ram).size

  it('takes the last one without a suffix, and ignores the offset', () => {
    expect(size('crashkernel=320M')).toBe(320 * MiB)
    expect(size('crashkernel=320M@64M')).toBe(320 * MiB)
    expect(size('crashkernel=320M crashkernel=512M')).toBe(512 * MiB)
    expect(size('crashkernel=320M crashkernel=1G,high crashkernel=64M,low crashkernel=2G,cma')).toBe(
      320 * MiB,
    )
    expect(size('crashkernel=1G,high')).toBe(0)
  })

  it('picks the range that holds the RAM, rounded up to 128 MiB', () => {
    const ranges = 'crashkernel=4G-16G:768M,16G-64G:1G,64G-:2G'
    expect(size(ranges, 8 * GiB)).toBe(768 * MiB)
    expect(size(ranges, 16 * GiB)).toBe(GiB)
    expect(size(ranges, 16 * GiB - MiB)).toBe(GiB)
    expect(size(ranges, 1024 * GiB)).toBe(2 * GiB)
    expect(size(`${ranges}@32M`, 20 * GiB)).toBe(GiB)
    expect(parseCrashkernel(ranges, 3 * GiB)).toEqual({
      size: 0,
      messages: ['crashkernel size resulted in zero bytes'],
    })
  })

  it.each([
    ['crashkernel=', 'memory value expected'],
    ['crashkernel=320Mx', 'unrecognized char: x'],
    ['crashkernel=-4G:1G', 'Memory value expected'],
    ['crashkernel=1G:1G', "'-' expected"],
    ['crashkernel=4G-2G:1G', 'end <= start'],
    ['crashkernel=4G-x:1G', 'Memory value expected'],
    ['crashkernel=4G-8Gx:1G', "':' expected"],
    ['crashkernel=4G-:', 'Memory value expected'],
    ['crashkernel=4G-:8G', 'invalid size'],
    ['crashkernel=4G-:1G@x', "Memory value expected after '@'"],
  ])('%j counts as absent: %s', (text, message) => {
    expect(parseCrashkernel(text, 8 * GiB)).toEqual({ size: 0, messages: [`crashkernel: ${message}`] })
  })

  it('counts a size as large as the RAM as absent', () => {
    expect(size('crashkernel=8G')).toBe(0)
  })
})
