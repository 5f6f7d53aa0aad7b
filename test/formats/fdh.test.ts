import { describe, expect, it } from 'vitest'
import { abi64be, abi64le } from '../../src/core/struct.ts'
import {
  cpuMaskHas,
  cpuMaskSize,
  crashInfoHeader,
  crashInfoMagic,
  crashInfoSize,
  parseCrashInfo,
  unknownCpu,
  writeCpuMask,
  writeCrashInfo,
} from '../../src/formats/fdh.ts'

const kernel = {
  release: '7.2.13',
  maxCpus: 16,
  ptRegsSize: 384,
  commandLineSize: 2048,
  elfFlags: 2,
  vmcoreinfo: undefined,
}

/** The first 40 bytes at 0x28010000 of the real machine while it was registered. */
const realHeader = '474953504d44414601000000ffffffff000055160000000024000100000000008001000008000000'

const header = {
  magicNumber: crashInfoMagic,
  version: 1,
  crashingCpu: unknownCpu,
  vmcoreinfoAddress: 0x16550000,
  vmcoreinfoSize: 0x10024,
  ptRegsSize: 384,
  cpuMaskSize: 8,
}

describe('crash info header', () => {
  it('has the layout the real kernel used', () => {
    expect(crashInfoHeader.layout(abi64le).size).toBe(40)
    expect(Buffer.from(crashInfoHeader.write(header, abi64le)).toString('hex')).toBe(realHeader)
  })

  it('is 432 bytes for 16 CPUs and 680 for 2048', () => {
    expect(crashInfoSize(kernel, abi64le)).toBe(432)
    expect(crashInfoSize({ ...kernel, maxCpus: 2048 }, abi64le)).toBe(680)
    expect(cpuMaskSize(1)).toBe(8)
  })

  it('reads what it wrote, in both byte orders', () => {
    for (const abi of [abi64le, abi64be]) {
      const info = {
        header,
        registers: new Uint8Array(384).fill(7),
        cpuMask: writeCpuMask([0, 9, 63], 8, abi),
      }
      const bytes = new Uint8Array(writeCrashInfo(info, abi))
      expect(parseCrashInfo(bytes, abi, 'ram')).toEqual(info)
      const set = Array.from({ length: 70 }, (_, cpu) => cpu).filter((cpu) =>
        cpuMaskHas(info.cpuMask, cpu, abi),
      )
      expect(set).toEqual([0, 9, 63])
    }
    expect(Buffer.from(writeCpuMask([0], 8, abi64be)).toString('hex')).toBe('0000000000000001')
  })
})
