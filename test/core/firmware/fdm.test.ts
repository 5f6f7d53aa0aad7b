import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GiB } from '../../../src/core/address.ts'
import { FormatError } from '../../../src/core/errors.ts'
import {
  buildFdm,
  type Fdm,
  fdmHeader,
  fdmSection,
  fdmSize,
  parseFdm,
  writeFdm,
} from '../../../src/core/firmware/fdm.ts'
import { abi64be } from '../../../src/core/struct.ts'
import { realKernelDump } from '../../make/real-kernel-dump.ts'

/** From the description of the format: 8 GiB, crashkernel=1024M, 4 CPUs, 64K pages. */
const workedExample = `
00 00 00 01 00 04 00 00 00 00 00 28 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
00 00 00 00 00 00 00 00 00 00 00 01 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 13 e0
00 00 00 00 00 00 00 00 00 00 00 00 40 00 00 00 00 00 00 01 00 02 00 00 00 00 00 00 00 00 00 00
00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 40 00 13 e0 00 00 00 01 00 11 00 00
00 00 00 00 00 00 00 00 00 00 00 00 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 40 01 00 00
00 00 00 01 01 00 00 00 00 00 00 01 ff ff f8 00 00 00 00 00 00 00 08 00 00 00 00 00 00 00 00 00
00 00 00 01 ff ff f8 00`.replace(/\s/g, '')

const config = {
  enabled: true,
  nocma: false,
  reserveStart: GiB,
  reserveSize: 0x400102a8,
  bootMemorySize: GiB,
  bootMemoryTop: GiB,
  bootMemoryRegions: [{ address: 0, size: GiB, copy: 0x40010000 }],
  cpuStateSize: 0x13e0,
  hpteSize: 0,
  bootMemoryCopy: 0x40010000,
  headerAddress: 0x80010000,
  fdmAddress: undefined,
  parameterArea: 0x1fffff800,
  cma: undefined,
}

describe('dump memory structure', () => {
  it('has a header and sections of 40 bytes each', () => {
    expect([fdmHeader.layout(abi64be).size, fdmSection.layout(abi64be).size]).toEqual([40, 40])
    expect([fdmSize(4), fdmSize(10)]).toEqual([200, 440])
  })

  it('is built as the worked example, 200 bytes', () => {
    expect(Buffer.from(writeFdm(buildFdm(config, 65536, 2048))).toString('hex')).toBe(workedExample)
  })

  it('has no parameter section without a parameter area', () => {
    const fdm = buildFdm({ ...config, parameterArea: undefined }, 65536, 2048)
    expect(fdm.sections.map((section) => section.sourceDataType)).toEqual([1, 2, 0x11])
    expect(fdm.header.dumpNumSections).toBe(3)
  })

  it('reads what real firmware left of a real registration', () => {
    const bytes = realKernelDump()
    const fdm = parseFdm(bytes, 'ibm,kernel-dump')
    expect(fdm.header.dumpStatusFlag).toBe(0xc000)
    expect(fdm.sections.map((section) => [section.sourceDataType, section.bytesDumped])).toEqual([
      [1, 0xa00],
      [2, 0],
      [0x11, 0x14000000],
      [0x100, 2048],
    ])
    expect(Buffer.from(writeFdm(fdm)).equals(bytes)).toBe(true)
  })

  it('refuses eleven sections and every truncation', () => {
    const bytes = Buffer.from(workedExample, 'hex')
    for (let size = 0; size < bytes.length; size++) {
      expect(() => parseFdm(bytes.subarray(0, size), 'cut')).toThrow(FormatError)
    }
    bytes[5] = 11
    expect(() => parseFdm(bytes, 'eleven')).toThrow(FormatError)
  })

  it('reads what it wrote', () => {
    const number = fc.nat(0xffff)
    const section = fc.record({
      requestFlag: number,
      sourceDataType: number,
      errorFlags: number,
      sourceAddress: fc.maxSafeNat(),
      sourceLength: fc.maxSafeNat(),
      bytesDumped: fc.maxSafeNat(),
      destinationAddress: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(fc.array(section, { maxLength: 10 }), (sections) => {
        const header = { ...buildFdm(config, 65536, 2048).header, dumpNumSections: sections.length }
        const fdm: Fdm = { header, sections }
        expect(parseFdm(writeFdm(fdm), 'property')).toEqual(fdm)
      }),
    )
  })
})
