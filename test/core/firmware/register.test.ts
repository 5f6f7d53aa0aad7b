import { describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { RefusedError } from '../../../src/core/errors.ts'
import { buildFdm, writeFdm } from '../../../src/core/firmware/fdm.ts'
import { registerDump, unregisterDump } from '../../../src/core/firmware/register.ts'
import { abi64le } from '../../../src/core/struct.ts'
import { crashInfoMagic, parseCrashInfo, unknownCpu } from '../../../src/formats/fdh.ts'
import { makeNode } from '../../../src/formats/fdt/tree.ts'
import { writeDeviceTree } from '../../../src/formats/fdt/writer.ts'
import type { MachineImage } from '../../../src/formats/machine-image/image.ts'
import type { MachineState } from '../../../src/formats/machine-image/state.ts'
import { makeMachineState } from '../../make/machine.ts'
import { makeMemoryMachine } from '../../make/memory-machine.ts'
import { makeRtasTree } from '../../make/rtas-tree.ts'
import { readRam } from '../../make/staged-machine.ts'

const make = (change: Partial<MachineState> = {}): MachineImage =>
  makeMemoryMachine(
    makeMachineState({ memory: [{ start: 0, end: 1280 * MiB }], ...change }),
    writeDeviceTree(makeRtasTree()),
  )

function refusalOf(work: () => unknown): RefusedError {
  try {
    work()
  } catch (error) {
    if (error instanceof RefusedError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('register', () => {
  it('reserves, writes the structures and tells firmware', () => {
    using image = make({
      kernel: { ...makeMachineState().kernel, vmcoreinfo: { address: 0x2540000, size: 0x10024 } },
    })
    const { config, messages } = registerDump(image, { bootargsAppend: 'nr_cpus=1' })
    expect(messages.at(-1)).toBe('rtas fadump: Registration is successful!')
    expect(image.state.stage).toBe('registered')
    expect(image.state.fadump).toEqual(config)
    expect(image.state.messages.map((message) => message.text)).toEqual(messages)

    const info = parseCrashInfo(readRam(image, 0x28010000, 432), abi64le, 'ram')
    expect(info.header).toMatchObject({
      magicNumber: crashInfoMagic,
      crashingCpu: unknownCpu,
      vmcoreinfoAddress: 0x16550000,
      vmcoreinfoSize: 0x10024,
    })
    expect(info.cpuMask[0]).toBe(0b11)
    const fdm = writeFdm(buildFdm(config, 65536, 2048))
    expect(readRam(image, config.fdmAddress ?? 0, 200).equals(fdm)).toBe(true)
    expect(image.state.firmwareState.fdm).toBe(Buffer.from(fdm).toString('hex'))
    expect(
      readRam(image, config.parameterArea ?? 0, 2048)
        .toString('latin1')
        .replace(/\0*$/, ''),
    ).toBe('nr_cpus=1')
  })

  it('puts the request into the highest empty page of boot memory', () => {
    using image = make()
    image.ram.write(0x14000000 - 1, Buffer.from([1]))
    expect(registerDump(image).config.fdmAddress).toBe(0x14000000 - 2 * 65536)
  })

  it('puts the request where the memory holds an earlier one', () => {
    using image = make()
    const other = { ...registerDump(make()).config, cpuStateSize: 0x5000 }
    image.ram.write(0x1323458, writeFdm(buildFdm(other, 65536, 2048)))
    expect(registerDump(image).config.fdmAddress).toBe(0x1323458)
  })

  it('registers anew when it is registered, and keeps the parameters', () => {
    using image = make()
    const first = registerDump(image, { bootargsAppend: 'numa=off' })
    const second = registerDump(image)
    expect(second).toEqual({ ...first, messages: ['rtas fadump: Registration is successful!'] })
    expect(registerDump(image, { bootargsAppend: 'x' }).bootargsAppend).toBe('x')
  })

  it('unregisters, twice if need be', () => {
    using image = make()
    expect(unregisterDump(image)).toBe(false)
    registerDump(image)
    expect(unregisterDump(image)).toBe(true)
    expect(image.state.stage).toBe('production')
    expect(image.state.firmwareState.fdm).toBeUndefined()
    expect(image.state.fadump?.reserveSize).toBe(335610288)
    expect(unregisterDump(image)).toBe(false)
    expect(registerDump(image).messages).toEqual(['rtas fadump: Registration is successful!'])
  })

  it.each(['crashed', 'capture'] as const)('is refused on a machine at stage %s', (stage) => {
    using image = make({ stage })
    for (const work of [registerDump, unregisterDump]) {
      const message = 'register: the machine does not run its production kernel'
      expect(refusalOf(() => work(image))).toMatchObject({ message, errno: 'EPERM' })
    }
  })

  it('is refused on firmware without the call, with the kernel words', () => {
    using image = make()
    image.update(image.state, writeDeviceTree(makeNode('', {}, [makeNode('rtas', {})])))
    expect(refusalOf(() => registerDump(image)).message).toBe(
      'fadump: Firmware-Assisted Dump is not supported on this hardware',
    )
  })

  it('changes nothing when it is refused', () => {
    using image = make({ commandLine: 'fadump=on crashkernel=64M' })
    const { sequence } = image.slot
    expect(refusalOf(() => registerDump(image)).message).toContain('less than 0x14000000')
    expect(image.slot.sequence).toBe(sequence)
    expect(image.state.fadump).toBeUndefined()
  })

  it('gives firmware an address inside the real-mode area', () => {
    const firmwareState = { ...makeMachineState().firmwareState, rmaSize: 64 * MiB }
    using image = make({ firmwareState })
    expect(registerDump(image).config.fdmAddress).toBe(64 * MiB - 65536)
    using none = make({ firmwareState: { ...firmwareState, rmaSize: 65536 } })
    expect(refusalOf(() => registerDump(none)).errno).toBe('ENOMEM')
  })
})

describe('bootargs_append', () => {
  const line = 'fadump=on crashkernel=320M'

  it('takes what fits beside the command line, the newline of echo counted', () => {
    using image = make()
    const most = 2048 - line.length - 2
    expect(registerDump(image, { bootargsAppend: 'x'.repeat(most) }).bootargsAppend).toHaveLength(most)
    const refusal = refusalOf(() => registerDump(image, { bootargsAppend: 'x'.repeat(most + 1) }))
    expect(refusal).toMatchObject({
      errno: 'ENOSPC',
      message: 'fadump: Appending parameters exceeds cmdline size!',
    })
    expect(refusalOf(() => registerDump(image, { bootargsAppend: 'x'.repeat(2047) })).errno).toBe('EINVAL')
  })

  it('is absent on hash with a small real-mode area', () => {
    using image = make({ mmu: 'hash' })
    expect(registerDump(image).config.parameterArea).toBeUndefined()
    expect(refusalOf(() => registerDump(image, { bootargsAppend: 'x' })).errno).toBe('ENOENT')
  })
})
