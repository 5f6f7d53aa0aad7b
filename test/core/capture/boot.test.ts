// What the kernel says of each dump it refuses is quoted from its source; after each the machine must be
// in production, able to register and crash again.

import { describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { bootCapture } from '../../../src/core/capture/boot.ts'
import { readElfcorehdr } from '../../../src/core/capture/elfcorehdr-file.ts'
import { releaseDump } from '../../../src/core/capture/release.ts'
import { RefusedError } from '../../../src/core/errors.ts'
import { crashMachine } from '../../../src/core/firmware/crash.ts'
import type { FdmSection } from '../../../src/core/firmware/fdm.ts'
import { registerDump } from '../../../src/core/firmware/register.ts'
import { readDeviceTree } from '../../../src/formats/fdt/reader.ts'
import { findNode, withProperty } from '../../../src/formats/fdt/tree.ts'
import { writeDeviceTree } from '../../../src/formats/fdt/writer.ts'
import type { MachineImage } from '../../../src/formats/machine-image/image.ts'
import { makeMachineState } from '../../make/machine.ts'
import { crash, editDump, editSection, makeStagedMachine, readRam } from '../../make/staged-machine.ts'

const headerAt = 0x28010000
const areaAt = 0x14000000

function refusalOf(work: () => unknown): RefusedError {
  try {
    work()
  } catch (error) {
    if (error instanceof RefusedError) return error
    throw error
  }
  throw new Error('not refused')
}

const swap = (image: MachineImage, address: number): void =>
  image.ram.write(address, readRam(image, address, 8).reverse())

const hasDumpProperty = (image: MachineImage): boolean =>
  findNode(readDeviceTree(image.deviceTree, 'tree'), '/rtas')?.properties.has('ibm,kernel-dump') === true

describe('boot-capture', () => {
  it('takes over a crashed machine', () => {
    using image = makeStagedMachine('crashed')
    const boot = bootCapture(image)
    expect(image.state).toMatchObject({ stage: 'capture', boots: 2, capture: boot.capture })
    expect(boot.capture).toEqual({
      commandLine: 'fadump=on crashkernel=320M ',
      elfcorehdrAddress: areaAt - 65536,
      elfcorehdrSize: 65536,
      noteBufferAddress: areaAt - 2 * 65536,
      noteBufferSize: 65536,
    })
    expect(boot.messages).toEqual([
      'rtas fadump: Firmware-assisted dump is active.',
      'fadump: Updated cmdline: fadump=on crashkernel=320M ',
      'fadump: Firmware-assisted dump is active.',
      'fadump: Reserving 960MB of memory at 0x00000014000000 for preserving crash data',
    ])
    expect(image.state.messages.filter(({ boot: number }) => number === 2)).toHaveLength(4)
    expect(image.state.fadump).toMatchObject({ reserveSize: 335610288, parameterArea: 0x4ffff800 })
  })

  it('does nothing on a machine that runs it already', () => {
    using image = makeStagedMachine('crashed')
    const first = bootCapture(image)
    const { sequence } = image.slot
    expect(bootCapture(image)).toEqual({ ...first, isRepeated: true })
    expect(image.slot.sequence).toBe(sequence)
  })

  it.each(['production', 'registered'] as const)('is refused at stage %s', (stage) => {
    using image = makeStagedMachine(stage)
    expect(refusalOf(() => bootCapture(image)).message).toBe('boot-capture: the machine has not crashed')
  })

  it('changes nothing above boot memory', () => {
    using image = makeStagedMachine('crashed')
    image.ram.write(0x30000000, Buffer.from('kept'))
    const area = readRam(image, areaAt, 0x10000)
    bootCapture(image)
    expect(readRam(image, areaAt, 0x10000).equals(area)).toBe(true)
    expect(readRam(image, headerAt + 432, 65536 - 432).equals(Buffer.alloc(65536 - 432))).toBe(true)
    expect(readRam(image, 0x30000000, 4).toString()).toBe('kept')
  })

  it('keeps its buffers out of memory that is taken', () => {
    const taken = { start: areaAt - 65536 - 100, end: areaAt }
    using image = makeStagedMachine('crashed', { kernelReserved: [taken] })
    const { capture } = bootCapture(image)
    expect(capture.elfcorehdrAddress).toBe(areaAt - 3 * 65536)
  })
})

describe('a dump the kernel refuses', () => {
  const said: readonly (readonly [string, (image: MachineImage) => void, string])[] = [
    [
      'an old crash info header',
      (image) => image.ram.write(headerAt, Buffer.from('FADMPINF').reverse()),
      "fadump: Old magic number, can't process the dump.",
    ],
    [
      'a crash info header of the other byte order',
      (image) => swap(image, headerAt),
      'fadump: Endianness mismatch between the crashed and fadump kernels.',
    ],
    [
      'a crash info header without its magic',
      (image) => image.ram.write(headerAt, new Uint8Array(8)),
      'fadump: Fadump header is corrupted.',
    ],
    [
      'larger registers',
      (image) => image.ram.write(headerAt + 32, Buffer.from([0x90, 1])),
      'fadump: Fadump header size mismatch.',
    ],
    [
      'a larger CPU mask',
      (image) => image.ram.write(headerAt + 36, Buffer.from([16])),
      'fadump: Fadump header size mismatch.',
    ],
    [
      'no boot memory at address 0',
      (image) => editSection(image, 2, { sourceAddress: 65536 }),
      'fadump: Crash info header is empty.',
    ],
    [
      'a copy outside memory',
      (image) => editSection(image, 2, { destinationAddress: 2 ** 40 }),
      'fadump: Fadump header is corrupted.',
    ],
    [
      'an error in the CPU state',
      (image) => editSection(image, 0, { errorFlags: 0x4000 }),
      'rtas fadump: Dump taken by platform is not valid (0)',
    ],
    [
      'an error in the hash page table',
      (image) => editSection(image, 1, { errorFlags: 0x8000 }),
      'rtas fadump: Dump taken by platform is not valid (1)',
    ],
    [
      'an error in boot memory',
      (image) => editSection(image, 2, { errorFlags: 0x4000, bytesDumped: 0 }),
      'rtas fadump: Dump taken by platform is not valid (2)',
    ],
    [
      'too few bytes of CPU state',
      (image) => editSection(image, 0, { bytesDumped: 0x9ff }),
      'rtas fadump: Dump taken by platform is incomplete (0)',
    ],
    [
      'too many bytes of CPU state',
      (image) => editSection(image, 0, { bytesDumped: 0xa01 }),
      'rtas fadump: Dump taken by platform is incomplete (0)',
    ],
    [
      'one byte too few of boot memory',
      (image) => editSection(image, 2, { bytesDumped: 0x13ffffff }),
      'rtas fadump: Dump taken by platform is incomplete (2)',
    ],
    [
      'a register save area without its magic',
      (image) => image.ram.write(areaAt, new Uint8Array(8)),
      'rtas fadump: Unable to read register save area.',
    ],
    [
      'a register save area without its first CPUSTRT',
      (image) => image.ram.write(areaAt + 20, new Uint8Array(8)),
      'rtas fadump: Unable to read CPU state data',
    ],
    [
      'a register save area of no CPUs',
      (image: MachineImage) => image.ram.write(areaAt + 16, new Uint8Array(4)),
      'fadump: Failed to allocate 0 bytes for CPU notes buffer',
    ],
    [
      'a register save area that counts more CPUs than it holds',
      (image) => image.ram.write(areaAt + 16, Buffer.from([0xff, 0xff, 0xff, 0xff])),
      'rtas fadump: Unable to read CPU state data',
    ],
  ]

  it.each(said)('for %s is given up in its words', (_, damage, message) => {
    using image = makeStagedMachine('crashed')
    damage(image)
    expect(refusalOf(() => readElfcorehdr(image)).message).toBe(message)
    const refusal = refusalOf(() => bootCapture(image))
    expect(refusal).toMatchObject({ message, exitCode: 4 })
    expect(refusal.printed).toContain('fadump: Firmware-assisted dump is active.')
    const texts = image.state.messages.map(({ text }) => text)
    expect(texts).toContain(message)
    expect(texts.at(-1)).toMatch(/^fadump: freeing reserved memory \(0x[0-9a-f]+ - 0x50000000\)$/)
    expect(image.state).toMatchObject({ stage: 'production', boots: 2 })
    expect(image.state.firmwareState.dumpActive).toBe(false)
    expect(hasDumpProperty(image)).toBe(false)
  })

  it('leaves a machine that registers, crashes and boots again', () => {
    using image = makeStagedMachine('crashed')
    image.ram.write(headerAt, new Uint8Array(8))
    expect(refusalOf(() => bootCapture(image)).code).toBe('REFUSED')
    registerDump(image)
    crashMachine(image, crash)
    expect(bootCapture(image).isAccepted).toBe(true)
  })

  it('is not even noticed when the tree does not tell of it', () => {
    using image = makeStagedMachine('crashed')
    const tree = readDeviceTree(image.deviceTree, 'tree')
    image.update(image.state, writeDeviceTree(withProperty(tree, '/rtas', 'ibm,kernel-dump', undefined)))
    expect(refusalOf(() => bootCapture(image)).message).toBe('the device tree tells of no dump')
    expect(image.state.stage).toBe('production')
  })

  it('is not preserved when the capture kernel is told fadump=off', () => {
    using image = makeStagedMachine('production')
    registerDump(image, { bootargsAppend: 'fadump=off' })
    crashMachine(image, crash)
    expect(refusalOf(() => bootCapture(image)).message).toContain('booted without fadump=on')
    expect(image.state).toMatchObject({ stage: 'production' })
    expect(image.state.fadump).toBeUndefined()
  })
})

describe('a dump with a blemish', () => {
  it('without its parameter area is warned of and taken', () => {
    using image = makeStagedMachine('crashed')
    editSection(image, 3, { errorFlags: 0x4000, bytesDumped: 0 })
    const { messages, config } = bootCapture(image)
    expect(messages.at(-1)).toBe('rtas fadump: Failed to process additional parameters! Proceeding anyway..')
    expect(config.parameterArea).toBeUndefined()
  })

  it('with a section of an unknown type is warned of twice and taken', () => {
    using image = makeStagedMachine('crashed')
    editDump(image, (fdm) => ({
      header: { ...fdm.header, dumpNumSections: 5 },
      sections: [...fdm.sections, { ...(fdm.sections[3] as FdmSection), sourceDataType: 0x77 }],
    }))
    const { messages } = bootCapture(image)
    expect(messages[1]).toBe('rtas fadump: Section type 119 unsupported on this kernel. Ignoring!')
    expect(messages.at(-1)).toBe(
      'rtas fadump: Unknown region found: type: 119 src addr: 0x4ffff800 dest addr: 0x4ffff800',
    )
  })
})

describe('release', () => {
  it('frees memory above boot memory, whole pages, without the dump area', () => {
    using image = makeStagedMachine('capture', { reservedRanges: [{ start: 0x40000000, end: 0x40010000 }] })
    const { freed, messages } = releaseDump(image)
    expect(freed).toEqual([
      // The kernel would begin at 0x28010000 and free the page of the crash info header.
      { start: '0x28020000', end: '0x40000000' },
      { start: '0x40010000', end: '0x50000000' },
    ])
    expect(messages).toEqual([
      'fadump: freeing reserved memory (0x28020000 - 0x40000000)',
      'fadump: freeing reserved memory (0x40010000 - 0x50000000)',
    ])
    expect(image.state).toMatchObject({ stage: 'production', boots: 2 })
    expect(image.state.capture).toBeUndefined()
    expect(hasDumpProperty(image)).toBe(false)
    expect(refusalOf(() => releaseDump(image)).errno).toBe('EPERM')
  })

  it('keeps the reservation for the next registration, without another boot', () => {
    using image = makeStagedMachine('capture')
    releaseDump(image)
    const { config, messages } = registerDump(image)
    expect(messages).toEqual(['rtas fadump: Registration is successful!'])
    expect(config).toMatchObject({ reserveStart: areaAt, reserveSize: 335610288 })
    crashMachine(image, { ...crash, time: 1795447300 })
    expect(bootCapture(image).isAccepted).toBe(true)
    // One CRASHTIME, the new one.
    const note = readRam(image, 0x16550000, 256).toString('latin1')
    expect(note.match(/CRASHTIME=\d+/g)).toEqual(['CRASHTIME=1795447300'])
  })
})

describe('boot memory in several pieces', () => {
  it('is packed in the copy and comes back at its addresses', () => {
    const memory = [
      { start: 0, end: 128 * MiB },
      { start: 256 * MiB, end: 384 * MiB },
      { start: 512 * MiB, end: 2048 * MiB },
    ]
    using image = makeStagedMachine('production', { memory })
    image.ram.write(256 * MiB + 5, Buffer.from('second'))
    image.ram.write(512 * MiB + 7, Buffer.from('third'))
    registerDump(image)
    crashMachine(image, crash)
    const { headers, config } = bootCapture(image)
    expect(config.bootMemoryTop).toBe(576 * MiB)
    const loads = headers.filter(({ type }) => type === 1)
    expect(loads.map(({ physical, memorySize }) => [Number(physical) / MiB, memorySize / MiB])).toEqual([
      [0, 128],
      [256, 128],
      [512, 64],
      [(config.reserveStart + config.reserveSize) / MiB, expect.any(Number)],
    ])
    const copyOf = (address: number, length: number): string => {
      const load = loads.find(({ physical }) => Number(physical) === address)
      return readRam(image, (load?.offset ?? 0) + 5, length).toString()
    }
    expect(copyOf(256 * MiB, 6)).toBe('second')
    expect(copyOf(512 * MiB, 7)).toBe('\0\0third')
  })

  it('on a machine with a hash MMU may hold the parameter area', () => {
    using image = makeStagedMachine('production', {
      mmu: 'hash',
      memory: [{ start: 0, end: 4096 * MiB }],
      commandLine: 'fadump=on crashkernel=1G',
      firmwareState: { ...makeMachineState().firmwareState, rmaSize: 1024 * MiB },
    })
    const { config } = registerDump(image, { bootargsAppend: 'numa=off' })
    expect(config.parameterArea).toBe(1024 * MiB - 2048)
    crashMachine(image, crash)
    const { capture } = bootCapture(image)
    expect(capture.commandLine).toBe('fadump=on crashkernel=1G numa=off')
    // The parameters are in the last page of boot memory, so the buffers are below.
    expect(capture.elfcorehdrAddress).toBe(1024 * MiB - 2 * 65536)
  })
})
