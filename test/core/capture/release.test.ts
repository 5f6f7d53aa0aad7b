import { describe, expect, it } from 'vitest'
import { GiB, MiB } from '../../../src/core/address.ts'
import { bootCapture } from '../../../src/core/capture/boot.ts'
import { releaseDump, renderRelease } from '../../../src/core/capture/release.ts'
import { RefusedError } from '../../../src/core/errors.ts'
import { crashMachine } from '../../../src/core/firmware/crash.ts'
import { registerDump } from '../../../src/core/firmware/register.ts'
import { readStatus } from '../../../src/core/firmware/status.ts'
import { readDeviceTree } from '../../../src/formats/fdt/reader.ts'
import { findNode } from '../../../src/formats/fdt/tree.ts'
import { writeDeviceTree } from '../../../src/formats/fdt/writer.ts'
import type { MachineImage } from '../../../src/formats/machine-image/image.ts'
import type { MachineState } from '../../../src/formats/machine-image/state.ts'
import { makeMachine, makeMachineState } from '../../make/machine.ts'
import { makeRtasTree } from '../../make/rtas-tree.ts'

const crash = { cause: 'panic', reason: 'test', cpu: 0, time: 1795447218 } as const

async function makeCaptured(change: Partial<MachineState> = {}): Promise<MachineImage> {
  const image = await makeMachine({
    state: makeMachineState({
      memory: [{ start: 0, end: 1280 * MiB }],
      commandLine: 'fadump=on crashkernel=320M',
      ...change,
    }),
    deviceTree: writeDeviceTree(makeRtasTree()),
  })
  registerDump(image)
  crashMachine(image, crash)
  bootCapture(image)
  return image
}

describe('release', () => {
  it('frees what the real kernel freed but for the page of the header, and says so', async () => {
    using image = await makeCaptured()
    const { freed, freedSize, messages } = releaseDump(image)
    // The real kernel: "freeing reserved memory (0x28010000 - 0x50000000)".
    expect(freed).toEqual([{ start: '0x28020000', end: '0x50000000' }])
    expect(freedSize).toBe(0x50000000 - 0x28020000)
    expect(messages).toEqual(['fadump: freeing reserved memory (0x28020000 - 0x50000000)'])
  })

  it("leaves out firmware's own memory and what lies between two ranges", async () => {
    using image = await makeCaptured({
      memory: [
        { start: 0, end: GiB },
        { start: 2 * GiB, end: 3 * GiB },
      ],
      reservedRanges: [{ start: 2 * GiB, end: 2 * GiB + 65536 }],
    })
    expect(releaseDump(image).freed).toEqual([
      { start: '0x28020000', end: '0x40000000' },
      { start: '0x80010000', end: '0xc0000000' },
    ])
  })

  it('makes it a production machine: no mark in the device tree, no dump, not registered', async () => {
    using image = await makeCaptured()
    releaseDump(image)
    expect(image.state).toMatchObject({
      stage: 'production',
      capture: undefined,
      crash: undefined,
      firmwareState: { registered: false, dumpActive: false, fdm: undefined },
    })
    const rtas = findNode(readDeviceTree(image.deviceTree, 'tree'), '/rtas')
    expect(rtas?.properties.has('ibm,kernel-dump')).toBe(false)
    expect(readStatus(image).sysfs).toMatchObject({
      enabled: '1',
      registered: '0',
      mem_reserved: '335610288',
      release_mem: undefined,
    })
  })

  it('is refused a second time', async () => {
    using image = await makeCaptured()
    releaseDump(image)
    expect(() => releaseDump(image)).toThrow(RefusedError)
    expect(() => releaseDump(image)).toThrow('release: the machine does not run its capture kernel')
  })

  it('lets the machine register, crash and be captured again', async () => {
    using image = await makeCaptured()
    releaseDump(image)
    const { config } = registerDump(image)
    expect(config.reserveStart).toBe(0x14000000)
    crashMachine(image, crash)
    bootCapture(image)
    expect(image.state).toMatchObject({ stage: 'capture', boots: 3 })
  })

  it('tells what is next', async () => {
    using image = await makeCaptured()
    expect(renderRelease(releaseDump(image))).toBe(
      'fadump: freeing reserved memory (0x28020000 - 0x50000000)\n' +
        `${image.path}: the dump is given up, 640 MiB of memory are free again; the next is fadump register`,
    )
  })
})
