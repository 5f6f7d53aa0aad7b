import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { findCrashInfo } from '../../../src/core/kernel/crash-info.ts'
import { abi64le } from '../../../src/core/struct.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { crashInfoHeader, crashInfoMagic, writeCrashInfo } from '../../../src/formats/fdh.ts'

const header = {
  magicNumber: crashInfoMagic,
  version: 1,
  crashingCpu: 3,
  vmcoreinfoAddress: 0x1000,
  vmcoreinfoSize: 4096,
  ptRegsSize: 384,
  cpuMaskSize: 8,
}
const whole = writeCrashInfo({ header, registers: new Uint8Array(384), cpuMask: new Uint8Array(8) }, abi64le)

/** A vmcore whose second segment begins `gap.length` bytes into a page, with these bytes before it. */
function dumpWith(gap: Uint8Array): Dump {
  const file = new Uint8Array(0x20000)
  file.set(gap, 0x10000)
  const segments = [
    { physical: 0, offset: 0x1000 },
    { physical: 0x28010000 + gap.length, offset: 0x10000 + gap.length },
  ]
  return { segments, source: new BufferSource(file), abi: abi64le, name: 'made' } as unknown as Dump
}

describe('the crash info header in a vmcore', () => {
  it('is found in the page before a segment', () => {
    expect(whole).toHaveLength(432)
    expect(findCrashInfo(dumpWith(whole), 65536)?.header).toEqual(header)
  })

  it('is not there when segments begin on a page, or before the file does', () => {
    expect(findCrashInfo(dumpWith(new Uint8Array(0)), 65536)).toBeUndefined()
    const early = { ...dumpWith(whole), segments: [{ physical: 0x1b0, offset: 0x40 }] } as unknown as Dump
    expect(findCrashInfo(early, 65536)).toBeUndefined()
  })

  it('is not what is cut off at any byte', () => {
    for (let size = 0; size < whole.length; size++) {
      expect(findCrashInfo(dumpWith(whole.subarray(0, size)), 65536), `${size}`).toBeUndefined()
    }
  })

  it('is not what has an impossible field', () => {
    const { offsets } = crashInfoHeader.layout(abi64le)
    for (const [field, at] of Object.entries(offsets)) {
      const bytes = Uint8Array.from(whole)
      bytes.fill(0xff, at, at + 4)
      const found = findCrashInfo(dumpWith(bytes), 65536)
      const mayBeAnything = ['version', 'crashingCpu', 'vmcoreinfoAddress', 'vmcoreinfoSize'].includes(field)
      expect(found === undefined, field).toBe(!mayBeAnything)
      expect(findCrashInfo(dumpWith(bytes.fill(0xff, at, at + 8)), 65536)?.header.ptRegsSize ?? 384).toBe(384)
    }
  })
})
