// Figures: a real Linux 7.2 kernel's console (1280 MiB, crashkernel=320M), the kernel's documentation
// and arithmetic by hand for the rest.

import { describe, expect, it } from 'vitest'
import { GiB, MiB } from '../../../src/core/address.ts'
import { RefusedError } from '../../../src/core/errors.ts'
import {
  type Platform,
  type ReservationInputs,
  reserveDumpArea,
  wideHex,
} from '../../../src/core/firmware/reservation.ts'

const rtas: Platform = {
  minBootMemory: 320 * MiB,
  maxBootRegions: 7,
  maxCopySize: Number.MAX_SAFE_INTEGER,
  cpuStateSize: 32 + 2 * 1264,
  hpteSize: 0,
  metadataSize: 0,
  hasParameterArea: true,
}

const inputs = (commandLine: string, ramEnd: number, more: Partial<ReservationInputs> = {}) => ({
  commandLine,
  memory: [{ start: 0, end: ramEnd }],
  reservedRanges: [],
  kernelReserved: [],
  pageSize: 65536,
  mmu: 'radix' as const,
  rmaSize: GiB,
  platform: rtas,
  headerSize: 40 + 384 + 8,
  commandLineSize: 2048,
  ...more,
})

const refusal = (given: ReservationInputs): string => {
  try {
    reserveDumpArea(given)
  } catch (error) {
    if (error instanceof RefusedError) return error.message
    throw error
  }
  return 'not refused'
}

describe('reservation', () => {
  it('is what the real 1280 MiB machine reserved', () => {
    const { config, messages } = reserveDumpArea(inputs('fadump=on crashkernel=320M', 1280 * MiB))
    expect(config).toEqual({
      enabled: true,
      nocma: false,
      reserveStart: 0x14000000,
      reserveSize: 335610288,
      bootMemorySize: 0x14000000,
      bootMemoryTop: 0x14000000,
      bootMemoryRegions: [{ address: 0, size: 0x14000000, copy: 0x14010000 }],
      cpuStateSize: 0xa00,
      hpteSize: 0,
      bootMemoryCopy: 0x14010000,
      headerAddress: 0x28010000,
      fdmAddress: undefined,
      parameterArea: 0x4ffff800,
      cma: { start: 0x14000000, end: 0x28000000 },
    })
    expect(messages).toEqual([
      'fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 1280MB)',
      'fadump: Initialized [0x14000000, 320MB] cma area from [0x14000000, 320MB] bytes of memory reserved for firmware-assisted dump',
    ])
  })

  it('is the worked example: 8 GiB, crashkernel=1024M, 4 CPUs, a 2048-CPU kernel', () => {
    const platform = { ...rtas, cpuStateSize: 0x13e0 }
    const given = inputs('fadump=on crashkernel=1024M', 8 * GiB, { platform, headerSize: 40 + 384 + 256 })
    const { config, messages } = reserveDumpArea(given)
    expect(config).toMatchObject({
      reserveStart: 0x40000000,
      reserveSize: 1073808040,
      headerAddress: 0x80010000,
      parameterArea: 0x1fffff800,
    })
    expect(messages[0]).toBe('fadump: Reserved 1024MB of memory at 0x00000040000000 (System RAM: 8192MB)')
  })

  it('gives CMA exactly the boot memory size, and nothing with nocma', () => {
    const on = reserveDumpArea(inputs('fadump=on crashkernel=1024M', 8 * GiB)).config
    const nocma = reserveDumpArea(inputs('fadump=nocma crashkernel=1024M', 8 * GiB)).config
    expect(on.cma).toEqual({ start: GiB, end: 2 * GiB })
    expect(nocma.cma).toBeUndefined()
    expect(nocma.reserveSize).toBe(on.reserveSize)
  })

  it('clamps crashkernel to a quarter of memory', () => {
    const { config, messages } = reserveDumpArea(inputs('fadump=on crashkernel=1G', 2 * GiB))
    expect(config.bootMemorySize).toBe(512 * MiB)
    expect(messages[0]).toBe('fadump: Adjusted boot memory size to 512MB')
  })

  it.each([
    [64 * GiB, 3072 * MiB],
    [4 * GiB, 320 * MiB],
    [16 * GiB, 768 * MiB],
  ])('without crashkernel of %d bytes takes 5 % in steps of 256 MiB: %d', (ram, size) => {
    expect(reserveDumpArea(inputs('fadump=on', ram)).config.bootMemorySize).toBe(size)
  })

  it('takes fadump_reserve_mem= unclamped and calls it deprecated; crashkernel= wins', () => {
    const deprecated =
      "fadump: 'fadump_reserve_mem=' parameter is deprecated in favor of 'crashkernel=' parameter."
    const alone = reserveDumpArea(inputs('fadump=on fadump_reserve_mem=800M', 2 * GiB))
    expect(alone.config.bootMemorySize).toBe(800 * MiB)
    expect(alone.messages[0]).toBe(deprecated)
    const both = reserveDumpArea(inputs('fadump=on fadump_reserve_mem=800M crashkernel=400M', 2 * GiB))
    expect(both.config.bootMemorySize).toBe(400 * MiB)
    expect(both.messages.slice(0, 2)).toEqual([
      deprecated,
      "fadump: Using 'crashkernel=' parameter for memory reservation.",
    ])
  })

  it('refuses less boot memory than the platform needs, in the kernel words', () => {
    expect(refusal(inputs('fadump=on crashkernel=256M', 8 * GiB))).toBe(
      "fadump: Can't enable fadump with boot memory size (0x10000000) less than 0x14000000",
    )
    expect(refusal(inputs('fadump=on crashkernel=320M', GiB))).toContain('(0x10000000) less than 0x14000000')
  })

  it('refuses without fadump=', () => {
    expect(refusal(inputs('crashkernel=1G', 8 * GiB))).toBe('fadump is not enabled')
  })

  it('goes to the page after a reserved range in its way', () => {
    const reservedRanges = [
      { start: 0x15000000, end: 0x15000100 },
      { start: 0x16000000, end: 0x16010000 },
    ]
    const { config } = reserveDumpArea(inputs('fadump=on crashkernel=320M', 2 * GiB, { reservedRanges }))
    expect(config.reserveStart).toBe(0x16010000)
  })

  it('goes above a hole and above memory the kernel has taken', () => {
    const memory = [
      { start: 0, end: 0x18000000 },
      { start: 0x20000000, end: 0x80000000 },
    ]
    const kernelReserved = [{ start: 0x30000000, end: 0x30000400 }]
    const given = inputs('fadump=on crashkernel=320M', 0, { memory, kernelReserved })
    expect(reserveDumpArea(given).config.reserveStart).toBe(0x30010000)
  })

  it('refuses when no piece of memory is large enough', () => {
    const memory = Array.from({ length: 8 }, (_, i) => ({
      start: i * 0x20000000,
      end: i * 0x20000000 + 0x14000000,
    }))
    expect(refusal(inputs('fadump=on crashkernel=320M', 0, { memory }))).toBe(
      'fadump: Failed to find memory chunk for reservation!',
    )
  })

  it('collects boot memory across holes and packs the copies', () => {
    const memory = [
      { start: 0, end: 0x10000000 },
      { start: 0x11000000, end: 0x12000000 },
      { start: 0x20000000, end: 0x80000000 },
    ]
    const { config } = reserveDumpArea(inputs('fadump=on crashkernel=320M', 0, { memory }))
    expect(config.bootMemoryRegions).toEqual([
      { address: 0, size: 0x10000000, copy: config.bootMemoryCopy },
      { address: 0x11000000, size: 0x1000000, copy: config.bootMemoryCopy + 0x10000000 },
      { address: 0x20000000, size: 0x3000000, copy: config.bootMemoryCopy + 0x11000000 },
    ])
    expect(config.bootMemoryTop).toBe(0x23000000)
    expect(config.reserveStart).toBe(0x23000000)
  })

  it('refuses more boot memory regions than firmware takes', () => {
    const memory = Array.from({ length: 9 }, (_, i) => ({
      start: i * 0x4000000,
      end: i === 8 ? 0x80000000 : i * 0x4000000 + 0x2000000,
    }))
    expect(refusal(inputs('fadump=on crashkernel=320M', 0, { memory }))).toBe(
      'fadump: Too many holes in boot memory area to enable fadump',
    )
  })

  it('splits boot memory where firmware copies no more at once', () => {
    const platform = { ...rtas, maxCopySize: 0x8000000, maxBootRegions: 128 }
    const { config } = reserveDumpArea(inputs('fadump=on crashkernel=320M', 2 * GiB, { platform }))
    expect(config.bootMemoryRegions.map((region) => region.size)).toEqual([0x8000000, 0x8000000, 0x4000000])
  })
})

describe('parameter area', () => {
  const area = (more: Partial<ReservationInputs>, ram = 2 * GiB) =>
    reserveDumpArea(inputs('fadump=on crashkernel=512M', ram, more))

  it('is the topmost free 2048 bytes of the upper half on radix', () => {
    const kernelReserved = [{ start: 0x7fff0001, end: 0x80000000 }]
    expect(area({ kernelReserved }).config.parameterArea).toBe(0x7ffef800)
    const upperHalf = area({ kernelReserved: [{ start: GiB, end: 2 * GiB }] }, 3 * GiB)
    expect(upperHalf.config.parameterArea).toBe(3 * GiB - 2048)
  })

  it('is between 768 MiB and boot_mem_top on hash, if the real-mode area reaches that far', () => {
    const hash = { mmu: 'hash' as const, rmaSize: GiB }
    const large = reserveDumpArea(inputs('fadump=on crashkernel=1G', 4 * GiB, hash))
    expect(large.config.parameterArea).toBe(GiB - 2048)
    expect(area({ mmu: 'hash', rmaSize: 768 * MiB - 1 }).config.parameterArea).toBeUndefined()
    const small = area(hash)
    expect(small.config.parameterArea).toBeUndefined()
    expect(small.messages).toContain('fadump: WARNING: Could not setup area to pass additional parameters!')
  })

  it('does not exist where the platform has none', () => {
    const { config, messages } = area({ platform: { ...rtas, hasParameterArea: false } })
    expect(config.parameterArea).toBeUndefined()
    expect(messages.join()).not.toContain('WARNING')
  })
})

describe('addresses as the kernel prints them', () => {
  it.each([
    [0x14000000, '0x00000014000000'],
    [0, '0000000000000000'],
    [0x1fffff800, '0x000001fffff800'],
  ])('%d', (value, text) => {
    expect(wideHex(value)).toBe(text)
  })
})
