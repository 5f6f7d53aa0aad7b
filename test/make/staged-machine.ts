// A machine of 1280 MiB led through the stages of its life, with a VMCOREINFO note in its memory.

import { MiB } from '../../src/core/address.ts'
import { bootCapture } from '../../src/core/capture/boot.ts'
import { crashMachine } from '../../src/core/firmware/crash.ts'
import { type Fdm, type FdmSection, parseFdm, writeFdm } from '../../src/core/firmware/fdm.ts'
import { getFirmware } from '../../src/core/firmware/index.ts'
import { registerDump } from '../../src/core/firmware/register.ts'
import { writeNote } from '../../src/formats/elf/notes.ts'
import { readDeviceTree } from '../../src/formats/fdt/reader.ts'
import { writeDeviceTree } from '../../src/formats/fdt/writer.ts'
import type { MachineImage } from '../../src/formats/machine-image/image.ts'
import type { MachineStage, MachineState } from '../../src/formats/machine-image/state.ts'
import { makeMachineState } from './machine.ts'
import { makeMemoryMachine } from './memory-machine.ts'
import { makeRtasTree } from './rtas-tree.ts'

export const noteAddress = 0x2540000
export const textAddress = 0x2530000
export const vmcoreinfoText = 'OSRELEASE=7.2.13\nPAGESIZE=65536\n'

export const crash = { cause: 'panic', reason: 'test', cpu: undefined, time: 1795447218 } as const

/** Stages come in their order; the machine stops at the one asked for. */
export function makeStagedMachine(stage: MachineStage, change: Partial<MachineState> = {}): MachineImage {
  const base = makeMachineState()
  const state = {
    ...base,
    memory: [{ start: 0, end: 1280 * MiB }],
    kernel: { ...base.kernel, vmcoreinfo: { address: noteAddress, size: 0x10024 } },
    ...change,
  }
  const image = makeMemoryMachine(state, writeDeviceTree(makeRtasTree(state.maxCpus)))
  image.ram.write(noteAddress, writeNote('VMCOREINFO', 0, Buffer.from(vmcoreinfoText), true))
  image.ram.write(textAddress, Buffer.from(vmcoreinfoText))
  if (stage === 'production') return image
  registerDump(image)
  if (stage === 'registered') return image
  crashMachine(image, crash)
  if (stage === 'capture') bootCapture(image)
  return image
}

export function readRam(image: MachineImage, address: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  image.ram.read(address, bytes)
  return bytes
}

/** Change what firmware reports of the dump it took. */
export function editDump(image: MachineImage, edit: (fdm: Fdm) => Fdm): void {
  const fdm = edit(parseFdm(Buffer.from(image.state.firmwareState.fdm ?? '', 'hex'), 'test'))
  const firmwareState = {
    ...image.state.firmwareState,
    fdm: Buffer.from(writeFdm(fdm)).toString('hex'),
  }
  const tree = getFirmware('rtas').markDump(readDeviceTree(image.deviceTree, 'test'), firmwareState)
  image.update({ ...image.state, firmwareState }, writeDeviceTree(tree))
}

export const editSection = (image: MachineImage, index: number, change: Partial<FdmSection>): void =>
  editDump(image, (fdm) => ({
    ...fdm,
    sections: fdm.sections.map((section, i) => (i === index ? { ...section, ...change } : section)),
  }))
