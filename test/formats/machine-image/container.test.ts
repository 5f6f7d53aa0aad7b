import { closeSync, openSync, writeSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { bootCapture } from '../../../src/core/capture/boot.ts'
import { RefusedError } from '../../../src/core/errors.ts'
import { crashMachine } from '../../../src/core/firmware/crash.ts'
import { registerDump } from '../../../src/core/firmware/register.ts'
import { writeDeviceTree } from '../../../src/formats/fdt/writer.ts'
import { openDump } from '../../../src/formats/index.ts'
import type { MachineImage } from '../../../src/formats/machine-image/image.ts'
import { slotSize } from '../../../src/formats/machine-image/layout.ts'
import { makeMachine, makeMachineState } from '../../make/machine.ts'
import { makeRtasTree } from '../../make/rtas-tree.ts'

const make = (): Promise<MachineImage> =>
  makeMachine({
    state: makeMachineState({ memory: [{ start: 0, end: 768 * MiB }], commandLine: 'fadump=on' }),
    deviceTree: writeDeviceTree(makeRtasTree()),
    fill: (put) => put(5 * MiB, Buffer.from('of the crashed kernel')),
  })

async function makeCaptured(): Promise<MachineImage> {
  const image = await make()
  registerDump(image)
  crashMachine(image, { cause: 'panic', reason: 'test', cpu: 0, time: 1795447218 })
  bootCapture(image)
  return image
}

/** Overwrite the start of a state slot. */
function damageSlot(path: string, index: number): void {
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.alloc(16, 0x55), 0, 16, index * slotSize)
  closeSync(fd)
}

describe('a machine image as a dump', () => {
  it('is the memory of the crashed kernel, once the capture kernel runs', async () => {
    using image = await makeCaptured()
    image.ram.write(5 * MiB, Buffer.from('of the capture kernel'))
    using dump = openDump(image.path)
    expect(dump).toMatchObject({ format: 'elf', container: 'machine', elfMachine: 21, warnings: [] })
    const into = Buffer.alloc(21)
    dump.memory.read(5 * MiB, into)
    expect(into.toString()).toBe('of the crashed kernel')
  })

  it.each([0, 1])('opens with state slot %i damaged, and warns', async (index) => {
    using image = await makeCaptured()
    image.update(image.state)
    image.update(image.state)
    damageSlot(image.path, index)
    using dump = openDump(image.path)
    expect(dump.container).toBe('machine')
    expect(dump.warnings).toMatchObject([{ code: 'SLOT_DAMAGED' }])
  })

  it('is refused at any other stage, and what to run is said', async () => {
    using image = await make()
    const open = () => openDump(image.path)
    expect(open).toThrow(RefusedError)
    registerDump(image)
    expect(open).toThrow(RefusedError)
    crashMachine(image, { cause: 'panic', reason: 'test', cpu: 0, time: 1795447218 })
    expect(open).toThrow('the machine has no dump to read')
  })
})
