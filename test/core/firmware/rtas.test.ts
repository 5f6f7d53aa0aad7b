// Return codes and their order are those of QEMU's firmware, but for the places where this one is strict.

import { describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import {
  buildFdm,
  type Fdm,
  type FdmSection,
  parseFdm,
  sectionTypes,
  writeFdm,
} from '../../../src/core/firmware/fdm.ts'
import { reserveDumpArea } from '../../../src/core/firmware/reservation.ts'
import { configureKernelDump, preserveMemory } from '../../../src/core/firmware/rtas.ts'
import { registerRefusal, rtasFirmware } from '../../../src/core/firmware/rtas-driver.ts'
import type { MachineImage } from '../../../src/formats/machine-image/image.ts'
import { parseRegisterSaveArea } from '../../../src/formats/regsave.ts'
import { makeMachineState } from '../../make/machine.ts'
import { makeMemoryMachine } from '../../make/memory-machine.ts'
import { makeRtasTree } from '../../make/rtas-tree.ts'

const GiB2 = 2048 * MiB
const fdmAddress = 0x10000
const state = makeMachineState({ memory: [{ start: 0, end: GiB2 }] })
const { config } = reserveDumpArea({
  ...state,
  rmaSize: 512 * MiB,
  platform: rtasFirmware.platform(makeRtasTree()),
  headerSize: 432,
  commandLineSize: 2048,
})
const good = buildFdm(config, 65536, 2048)

const edit = (index: number, change: Partial<FdmSection>): Fdm => ({
  ...good,
  sections: good.sections.map((section, i) => (i === index ? { ...section, ...change } : section)),
})

function machineWith(fdm: Fdm): MachineImage {
  const image = makeMemoryMachine(state, new Uint8Array())
  image.ram.write(fdmAddress, writeFdm(fdm))
  return image
}

const call = (command: number, length = 200, address = fdmAddress) => ({ command, address, length })

/** Register what is in memory, then let firmware save it. */
function takeDump(fdm: Fdm): { image: MachineImage; result: Fdm } {
  const image = machineWith(fdm)
  const { status, firmwareState } = configureKernelDump(image, call(1))
  expect(status).toBe(0)
  image.update({ ...state, firmwareState })
  const saved = preserveMemory(image)
  return { image, result: parseFdm(Buffer.from(saved.fdm ?? '', 'hex'), 'result') }
}

describe('ibm,configure-kernel-dump', () => {
  it('registers, and says -9 to a second time', () => {
    using image = machineWith(good)
    const { status, firmwareState } = configureKernelDump(image, call(1))
    expect(status).toBe(0)
    expect(firmwareState.registered).toBe(true)
    image.update({ ...state, firmwareState })
    expect(configureKernelDump(image, call(1)).status).toBe(-9)
  })

  it('works on its own copy', () => {
    using image = machineWith({ ...good, header: { ...good.header, dumpStatusFlag: 0xffff } })
    const { firmwareState } = configureKernelDump(image, call(1))
    image.ram.write(fdmAddress, new Uint8Array(200))
    expect(firmwareState.fdm).toBe(Buffer.from(writeFdm(good)).toString('hex'))
  })

  it.each([
    ['a length of 39', call(1, 39), -3],
    ['the padded length', call(1, 440), -3],
    ['address 0', call(1, 200, 0), -3],
    ['an end past the real-mode area', call(1, 200, 512 * MiB - 199), -3],
    ['an unknown command', call(4), -3],
    ['INVALIDATE without a dump', call(3, 440), -3],
    ['UNREGISTER without a registration', call(2, 440), 0],
  ])('answers %s with the right code', (_, request, status) => {
    using image = machineWith(good)
    expect(configureKernelDump(image, request).status).toBe(status)
  })

  it('answers -10 to all but INVALIDATE while a dump waits', () => {
    using image = machineWith(good)
    const firmwareState = { ...state.firmwareState, dumpActive: true, fdm: '' }
    image.update({ ...state, firmwareState })
    expect(configureKernelDump(image, call(1)).status).toBe(-10)
    expect(configureKernelDump(image, call(2)).status).toBe(-10)
    const { status, firmwareState: after } = configureKernelDump(image, call(3))
    expect([status, after.dumpActive, after.fdm]).toEqual([0, false, undefined])
  })

  it('says -1 when the header cannot be read, -3 when the section table cannot', () => {
    const memory = [{ start: 16 * MiB, end: GiB2 }]
    using image = makeMemoryMachine({ ...state, memory }, new Uint8Array())
    expect(configureKernelDump(image, call(1, 200, MiB)).status).toBe(-1)
    using lost = machineWith({
      ...good,
      header: { ...good.header, offsetFirstDumpSection: 0xfffffff0 },
    })
    expect(configureKernelDump(lost, call(1)).status).toBe(-3)
  })

  it.each([
    ['version 2', { ...good, header: { ...good.header, dumpFormatVersion: 2 } }],
    ['version 0', { ...good, header: { ...good.header, dumpFormatVersion: 0 } }],
    ['eleven sections', { ...good, header: { ...good.header, dumpNumSections: 11 } }],
    ['fewer sections than the length says', { ...good, header: { ...good.header, dumpNumSections: 3 } }],
    ['a copy onto its own source', edit(2, { destinationAddress: 0x8000000 })],
    ['two copies to one place', edit(2, { destinationAddress: config.reserveStart })],
    ['a source another copy destroys', edit(0, { destinationAddress: MiB })],
  ])('says -3 to %s', (_, fdm) => {
    using image = machineWith(fdm)
    expect(configureKernelDump(image, call(1)).status).toBe(-3)
  })

  it.each([
    [-1, 'EIO', 'rtas fadump: Failed to register. Hardware Error(-1).'],
    [-3, 'EINVAL', 'rtas fadump: Failed to register. Parameter Error(-3).'],
    [-9, 'EEXIST', 'rtas fadump: Already registered!'],
    [-10, 'EIO', 'rtas fadump: Failed to register. Unknown Error(-10).'],
    [-7, 'EIO', 'rtas fadump: Failed to register. Unknown Error(-7).'],
  ])('%d becomes %s to the kernel', (status, errno, message) => {
    expect(registerRefusal(status, true)).toMatchObject({ status, errno, message })
  })
})

describe('firmware at a crash', () => {
  it('copies in table order and reports every byte', () => {
    const { image, result } = takeDump(good)
    using machine = image
    expect(result.header.dumpStatusFlag).toBe(0xc000)
    expect(result.sections.map((one) => [one.sourceDataType, one.errorFlags, one.bytesDumped])).toEqual([
      [1, 0, 0xa00],
      [2, 0, 0],
      [0x11, 0, 0x14000000],
      [0x100, 0, 2048],
    ])
    const copied = Buffer.alloc(200)
    machine.ram.read(config.bootMemoryCopy + fdmAddress, copied)
    expect(copied.equals(writeFdm(good))).toBe(true)
    const area = new Uint8Array(0xa00)
    machine.ram.read(config.reserveStart, area)
    const cpus = parseRegisterSaveArea(area, 'area')
    expect(cpus.map((cpu) => [cpu.id, cpu.registers.get('r1')])).toEqual([
      [0, 0xc000000000100000n],
      [1, 0xc000000000101000n],
    ])
  })

  it('gives the same memory when it is done again', () => {
    const { image } = takeDump(good)
    using machine = image
    const first = preserveMemory(machine)
    expect(preserveMemory(machine)).toEqual(first)
  })

  it.each([
    ['skips what was not requested', 2, { requestFlag: 0 }, 0, 0xc000],
    ['skips a request flag with other bits', 2, { requestFlag: 3 }, 0, 0xc000],
    ['flags an unknown type', 3, { sourceDataType: 0x77 }, 0x8000, 0xe000],
    ['flags a source outside memory', 2, { sourceAddress: 2 * GiB2 }, 0x4000, 0xe000],
    ['flags a source that ends outside memory', 2, { sourceAddress: GiB2 - 4096 }, 0x4000, 0xe000],
    ['flags a destination outside memory', 2, { destinationAddress: 2 * GiB2 }, 0x1000, 0xe000],
    ['flags a CPU area outside memory', 0, { destinationAddress: 2 * GiB2 }, 0x1000, 0xe000],
    ['flags a CPU area that is too small', 0, { sourceLength: 0x9ff }, 0x0800, 0xe000],
  ])('%s', (_, index, change, flags, status) => {
    const { image, result } = takeDump(edit(index, change))
    using _machine = image
    expect(result.sections[index]).toMatchObject({ errorFlags: flags, bytesDumped: 0 })
    expect(result.header.dumpStatusFlag).toBe(status)
    const others = result.sections.filter((_, i) => i !== index && i !== 1)
    for (const section of others) expect(section.bytesDumped).toBe(section.sourceLength)
  })

  it('leaves a section in place that has no other destination', () => {
    const { image, result } = takeDump(
      edit(2, { sourceAddress: 0, destinationAddress: 0, sourceDataType: sectionTypes.bootMemory }),
    )
    using _machine = image
    expect(result.sections[2]).toMatchObject({ errorFlags: 0, bytesDumped: 0x14000000 })
  })
})
