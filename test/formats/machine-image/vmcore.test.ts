import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readExactly } from '../../../src/core/byte-source.ts'
import { DumpError, RefusedError } from '../../../src/core/errors.ts'
import { parseNotes } from '../../../src/formats/elf/notes.ts'
import { openSource } from '../../../src/formats/index.ts'
import type { MachineImage } from '../../../src/formats/machine-image/image.ts'
import { openVmcore } from '../../../src/formats/machine-image/vmcore.ts'
import { makeStagedMachine, readRam } from '../../make/staged-machine.ts'

const page = 65536

/** The same machine with other bytes at an address, without changing it. */
function overlaid(image: MachineImage, address: number, bytes: Uint8Array): MachineImage {
  return {
    ...image,
    state: image.state,
    ramSource() {
      const source = image.ramSource()
      return {
        ...source,
        read(offset, into) {
          const got = source.read(offset, into)
          for (let i = 0; i < bytes.length; i++) {
            const at = address + i - offset
            if (at >= 0 && at < got) into[at] = bytes[i] as number
          }
          return got
        },
      }
    },
  }
}

describe('/proc/vmcore of a machine', () => {
  it('has header and notes page by page, then boot memory from its copy, then the rest', () => {
    using image = makeStagedMachine('capture')
    image.ram.write(0x14010000 + 0x1000000, Buffer.from('boot memory'))
    image.ram.write(0x30000000, Buffer.from('high memory'))
    using vmcore = openVmcore(image)
    // Header, notes, 5120 pages of boot memory, 10239 from the crash info header on.
    expect(vmcore.size).toBe((2 + 5120 + 10239) * page)
    const dump = openSource(openVmcore(image), 'machine')
    expect(dump).toMatchObject({ format: 'elf', elfMachine: 21, elfFlags: 2 })
    expect(dump.segments).toMatchObject([
      { physical: 0, memorySize: 0x14000000, offset: 2 * page },
      { physical: 0x280101b0, offset: 2 * page + 0x14000000 + 0x1b0 },
    ])
    const into = Buffer.alloc(11)
    dump.memory.read(0x1000000, into)
    expect(into.toString()).toBe('boot memory')
    dump.memory.read(0x30000000, into)
    expect(into.toString()).toBe('high memory')
    expect(dump.notes.map(({ name, desc }) => [name, desc.length])).toEqual([
      ['CORE', 504],
      ['CORE', 504],
      ['VMCOREINFO', 53],
    ])
    expect(dump.vmcoreinfo).toContain('CRASHTIME=1795447218\n')
  })

  it('has the crash info header in the gap before the second segment', () => {
    using image = makeStagedMachine('capture')
    using vmcore = openVmcore(image)
    const gap = readExactly(vmcore, 2 * page + 0x14000000, 432, 'gap')
    expect(readRam(image, 0x28010000, 432).equals(gap)).toBe(true)
  })

  it('gives the same bytes in any pieces', () => {
    using image = makeStagedMachine('capture')
    using vmcore = openVmcore(image)
    const window = { start: 0, length: 4 * page }
    const whole = Buffer.from(readExactly(vmcore, window.start, window.length, 'whole'))
    fc.assert(
      fc.property(fc.nat(window.length - 1), fc.nat(2 * page), (offset, length) => {
        const into = Buffer.alloc(Math.min(length, window.length - offset))
        expect(vmcore.read(offset, into)).toBe(into.length)
        expect(into.equals(whole.subarray(offset, offset + into.length))).toBe(true)
      }),
    )
    expect(vmcore.read(vmcore.size - 10, Buffer.alloc(100))).toBe(10)
    expect(vmcore.read(vmcore.size, Buffer.alloc(1))).toBe(0)
  })

  it('is refused when a segment reaches beyond memory, where there would be only zeros', () => {
    using image = makeStagedMachine('capture')
    const { elfcorehdrAddress = 0 } = image.state.capture ?? {}
    const header = readRam(image, elfcorehdrAddress, 64 + 4 * 56)
    const size = header.readBigUInt64LE(64 + 3 * 56 + 40)
    header.writeBigUInt64LE(size + 1n, 64 + 3 * 56 + 32)
    header.writeBigUInt64LE(size + 1n, 64 + 3 * 56 + 40)
    expect(() => openVmcore(overlaid(image, elfcorehdrAddress, header))).toThrow(/PT_LOAD/)
  })

  it.each(['production', 'registered', 'crashed'] as const)('is not there at stage %s', (stage) => {
    using image = makeStagedMachine(stage)
    expect(() => openVmcore(image)).toThrow(RefusedError)
  })

  it('is an error or a file of bounded size when the header in memory is damaged', () => {
    using image = makeStagedMachine('capture')
    const { elfcorehdrAddress = 0 } = image.state.capture ?? {}
    const header = readRam(image, elfcorehdrAddress, 64 + 4 * 56)
    for (let at = 0; at < header.length; at++) {
      for (const value of [0, 0xff, 0x7f]) {
        const damaged = Buffer.from(header)
        damaged[at] = value
        try {
          using vmcore = openVmcore(overlaid(image, elfcorehdrAddress, damaged))
          expect(vmcore.size).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER)
          const head = readExactly(vmcore, 0, Math.min(vmcore.size, 3 * page), 'head')
          parseNotes(head.subarray(page, 2 * page), true, 'notes')
        } catch (error) {
          expect(error).toBeInstanceOf(DumpError)
        }
      }
    }
  })
})
