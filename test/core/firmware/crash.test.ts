import { describe, expect, it } from 'vitest'
import { FormatError, RefusedError, UsageError } from '../../../src/core/errors.ts'
import { type CrashOptions, crashMachine } from '../../../src/core/firmware/crash.ts'
import { abi64le } from '../../../src/core/struct.ts'
import { parseCrashInfo, unknownCpu } from '../../../src/formats/fdh.ts'
import { readDeviceTree } from '../../../src/formats/fdt/reader.ts'
import { findNode } from '../../../src/formats/fdt/tree.ts'
import type { MachineImage } from '../../../src/formats/machine-image/image.ts'
import { makeCpu, makeMachineState } from '../../make/machine.ts'
import {
  crash,
  editDump,
  makeStagedMachine,
  noteAddress,
  readRam,
  textAddress,
  vmcoreinfoText,
} from '../../make/staged-machine.ts'

const crashInfo = (image: MachineImage) =>
  parseCrashInfo(readRam(image, image.state.fadump?.headerAddress ?? 0, 432), abi64le, 'ram')

const word = (bytes: Uint8Array, n: number): bigint => Buffer.from(bytes).readBigUInt64LE(n * 8)

/** Throws at the n-th change of the image, as a kill would end the command there. */
function cutAt(image: MachineImage, n: number): MachineImage {
  let left = n
  const step =
    <A extends unknown[]>(work: (...args: A) => void) =>
    (...args: A): void => {
      if (left-- === 0) throw new Cut()
      work(...args)
    }
  return {
    ...image,
    get state() {
      return image.state
    },
    get deviceTree() {
      return image.deviceTree
    },
    ram: { ...image.ram, write: step(image.ram.write), copy: step(image.ram.copy) },
    update: step((...args: Parameters<MachineImage['update']>) => image.update(...args)),
  }
}

class Cut extends Error {}

describe('a crash', () => {
  it('fills the crash information, stamps VMCOREINFO, and leaves the dump to the next boot', () => {
    using image = makeStagedMachine('registered', {
      maxCpus: 4,
      cpus: [makeCpu(0), makeCpu(1), { ...makeCpu(2), online: false }],
    })
    const result = crashMachine(image, { ...crash, cpu: 1 })
    expect(result).toMatchObject({ cpu: 1, reason: 'test', outcome: 'crashed' })
    expect(result.messages).toEqual(['Kernel panic - not syncing: test', 'OS panic: test'])
    const { header, registers, cpuMask } = crashInfo(image)
    expect(header.crashingCpu).toBe(1)
    expect(cpuMask[0]).toBe(0b011)
    expect([word(registers, 1), word(registers, 32)]).toEqual([0xc000000000101000n, 0xc000000000001000n])
    const stamped = `${vmcoreinfoText}CRASHTIME=1795447218\n`
    expect(readRam(image, textAddress, stamped.length + 1).toString()).toBe(`${stamped}\0`)
    const note = readRam(image, noteAddress, 24 + stamped.length)
    expect(note.readUInt32LE(4)).toBe(stamped.length)
    expect(note.subarray(24).toString()).toBe(stamped)

    expect(image.state).toMatchObject({
      stage: 'crashed',
      crash: { cpu: 1, reason: 'test', time: 1795447218, writes: [] },
      firmwareState: { registered: false, dumpActive: true, copying: false },
    })
    const rtas = findNode(readDeviceTree(image.deviceTree, 'tree'), '/rtas')
    expect(Buffer.from(rtas?.properties.get('ibm,kernel-dump') ?? []).toString('hex')).toBe(
      image.state.firmwareState.fdm,
    )
  })

  it('warns when the log cannot get its line, and goes on', () => {
    using image = makeStagedMachine('registered')
    const { warnings } = crashMachine(image, crash)
    expect(warnings.map((warning) => warning.code)).toEqual(['LOG_NOT_WRITTEN'])
    using bare = makeStagedMachine('registered', { kernel: makeMachineState().kernel })
    expect(crashMachine(bare, crash).warnings.map((warning) => warning.code)).toEqual(['NO_VMCOREINFO'])
  })

  it('copies memory as the dying kernel left it', () => {
    using image = makeStagedMachine('crashed')
    const { bootMemoryCopy = 0 } = image.state.fadump ?? {}
    const size = vmcoreinfoText.length + 50
    expect(readRam(image, bootMemoryCopy + noteAddress, size).equals(readRam(image, noteAddress, size))).toBe(
      true,
    )
  })

  it.each([
    ['panic', 0, 0n, ['Kernel panic - not syncing: test', 'OS panic: test']],
    ['oops', 0, 0n, ['Oops: test, sig: 11 [#1]', 'OS panic: die oops']],
    ['system-reset', 0, 0x100n, ['OS panic: System Reset']],
    ['firmware', unknownCpu, 0n, []],
  ] as const)('by %s leaves CPU %d, trap %d and its messages', (cause, cpu, trap, messages) => {
    using image = makeStagedMachine('registered', { maxCpus: 3 })
    const result = crashMachine(image, { ...crash, cause })
    expect(result.messages).toEqual(messages)
    const { header, registers, cpuMask } = crashInfo(image)
    expect(header.crashingCpu).toBe(cpu)
    expect(word(registers, 40)).toBe(trap)
    // Ended from outside: the possible CPUs, as at registration.
    expect(cpuMask[0]).toBe(cause === 'firmware' ? 0b111 : 0b011)
    expect(image.state.crash?.cpu).toBe(cause === 'firmware' ? undefined : 0)
  })

  it.each(['production', 'capture'] as const)('is refused at stage %s', (stage) => {
    using image = makeStagedMachine(stage)
    expect(() => crashMachine(image, crash)).toThrow(RefusedError)
    expect(() => crashMachine(image, crash)).toThrow('trigger: the machine is not registered')
  })

  it('wants a CPU that is online', () => {
    using image = makeStagedMachine('registered')
    const { sequence } = image.slot
    expect(() => crashMachine(image, { ...crash, cpu: 7 })).toThrow(UsageError)
    expect(image.slot.sequence).toBe(sequence)
  })

  it('happens once', () => {
    using image = makeStagedMachine('crashed')
    const { sequence } = image.slot
    expect(crashMachine(image, { ...crash, reason: 'other' })).toMatchObject({
      outcome: 'repeated',
      reason: 'test',
    })
    expect(image.slot.sequence).toBe(sequence)
  })
})

describe('a crash that is cut short at any of its changes', () => {
  const options: CrashOptions = { ...crash, cpu: 1 }

  /** All that a crash may change, and the state. */
  const outcome = (image: MachineImage) => ({
    state: image.state,
    tree: Buffer.from(image.deviceTree).toString('hex'),
    memory: [
      [noteAddress, 0x200],
      [textAddress, 0x200],
      [0x14000000, 0xa00],
      [0x14010000 + noteAddress, 0x200],
      [0x28010000, 432],
      [0x40000000, 4096],
    ].map(([address = 0, size = 0]) => readRam(image, address, size).toString('hex')),
  })

  it('has not happened, or is finished by the next trigger with the same memory', () => {
    using whole = makeStagedMachine('registered')
    const before = outcome(whole)
    crashMachine(whole, options)
    const after = outcome(whole)
    let cuts = 0
    for (let n = 0; ; n++) {
      using image = makeStagedMachine('registered')
      try {
        crashMachine(cutAt(image, n), options)
        break
      } catch (error) {
        if (!(error instanceof Cut)) throw error
      }
      cuts++
      if (n === 0) expect(outcome(image)).toEqual(before)
      else expect(image.state).toMatchObject({ stage: 'crashed', firmwareState: { copying: true } })
      const again = crashMachine(image, n === 0 ? options : { ...options, reason: 'other', cpu: 0 })
      expect(again.outcome).toBe(n === 0 ? 'crashed' : 'resumed')
      expect(outcome(image)).toEqual(after)
    }
    // Two states, three places the kernel writes, CPU state and boot memory.
    expect(cuts).toBe(8)
  })

  it('is refused when the state has copies that overlap', () => {
    using image = makeStagedMachine('registered')
    editDump(image, (fdm) => ({
      ...fdm,
      sections: fdm.sections.map((one) => ({ ...one, destinationAddress: one.sourceAddress + 8 })),
    }))
    expect(() => crashMachine(image, crash)).toThrow(FormatError)
  })
})
