import { describe, expect, it } from 'vitest'
import { GiB, MiB } from '../../../src/core/address.ts'
import { registerDump } from '../../../src/core/firmware/register.ts'
import { type MachineStatus, readStatus, renderStatus } from '../../../src/core/firmware/status.ts'
import { writeDeviceTree } from '../../../src/formats/fdt/writer.ts'
import type { MachineState } from '../../../src/formats/machine-image/state.ts'
import { fixtureText } from '../../fixtures/index.ts'
import { makeMachine, makeMachineState } from '../../make/machine.ts'
import { makeRtasTree } from '../../make/rtas-tree.ts'

const make = (change: Partial<MachineState>) =>
  makeMachine({
    state: makeMachineState({ memory: [{ start: 0, end: 1280 * MiB }], ...change }),
    deviceTree: writeDeviceTree(makeRtasTree(change.maxCpus)),
  })

const commandLine = 'fadump=on crashkernel=320M'

async function statusOf(change: Partial<MachineState>): Promise<MachineStatus> {
  using image = await make(change)
  return readStatus(image)
}

describe('status', () => {
  it('shows in sysfs what the real kernel showed after it had registered', async () => {
    using image = await make({ commandLine })
    registerDump(image)
    const console = fixtureText('ppc64le-7.2-fadump', 'console.txt').replaceAll('\r', '')
    const real = [...console.matchAll(/^\/sys\/kernel\/fadump\/\w+:.*$/gm)].slice(0, 5).map(([line]) => line)
    const ours = renderStatus(readStatus(image)).match(/^\/sys\/kernel\/fadump\/.*$/gm)
    expect(real).toHaveLength(5)
    expect(ours).toEqual(real)
  })

  it('tells where everything is', async () => {
    const { reservation } = await statusOf({ commandLine })
    // console.txt and spec of the real machine: base, size, header; CMA is the boot memory size.
    expect(reservation).toEqual({
      start: '0x14000000',
      size: 335610288,
      bootMemorySize: 320 * MiB,
      bootMemoryTop: '0x14000000',
      bootMemoryCopy: '0x14010000',
      crashInfo: '0x28010000',
      request: undefined,
      parameterArea: '0x4ffff800',
      cma: { start: '0x14000000', end: '0x28000000' },
    })
  })

  it('shows the text for the capture kernel', async () => {
    using image = await make({ commandLine })
    expect(readStatus(image).sysfs?.bootargs_append).toBe('')
    registerDump(image, { bootargsAppend: 'nr_cpus=1' })
    expect(readStatus(image).sysfs?.bootargs_append).toBe('nr_cpus=1')
  })

  it('shows fadump disabled when the kernel goes on without it', async () => {
    const { sysfs, reservation } = await statusOf({ commandLine: 'fadump=on crashkernel=64M' })
    expect(reservation).toBeUndefined()
    expect(sysfs).toEqual({
      enabled: '0',
      registered: '0',
      mem_reserved: '0',
      hotplug_ready: '1',
      bootargs_append: undefined,
      release_mem: undefined,
    })
  })

  it('counts 1024 MiB less with nocma where crashkernel=1024M', async () => {
    const large = { memory: [{ start: 0, end: 8 * GiB }], maxCpus: 4 }
    const on = await statusOf({ ...large, commandLine: 'fadump=on crashkernel=1024M' })
    const nocma = await statusOf({ ...large, commandLine: 'fadump=nocma crashkernel=1024M' })
    expect(on.memory.usable - nocma.memory.usable).toBe(GiB)
    // The areas around the copy take a page at the start and one at the end.
    expect(on.memory.usable).toBe(8 * GiB - 2 * 65536)
  })

  it('gives a capture kernel boot memory alone', async () => {
    const production = await statusOf({ commandLine })
    using image = await make({ commandLine })
    registerDump(image)
    const captured = makeMachineState({ ...image.state, stage: 'capture' })
    const { memory, sysfs } = await statusOf(captured)
    expect(memory.usable).toBe(320 * MiB)
    expect(sysfs).toMatchObject({ enabled: '1', registered: '0', release_mem: '' })
    expect(sysfs?.mem_reserved).toBe(production.sysfs?.mem_reserved)
  })

  it('shows no sysfs while no kernel runs', async () => {
    const { sysfs } = await statusOf({ stage: 'crashed', commandLine })
    expect(sysfs).toBeUndefined()
  })

  it('lists messages of fifty thousand boots in no time', async () => {
    const messages = Array.from({ length: 50_000 }, (_, i) => ({
      boot: i + 1,
      source: 'kernel' as const,
      text: '',
    }))
    const status = await statusOf({})
    expect(renderStatus({ ...status, messages }).match(/^boot \d/gm)).toHaveLength(50_000)
  })

  it('escapes what the name of its file could do to a terminal', async () => {
    const status = await statusOf({})
    expect(renderStatus({ ...status, machine: 'm\x1b[31m' })).toContain('m\\x1b[31m runs')
  })

  it('escapes what the machine could do to a terminal', async () => {
    const evil = '\x1b[31mred'
    const status = await statusOf({
      commandLine: evil,
      origin: evil,
      messages: [{ boot: 1, source: 'kernel', text: evil }],
    })
    expect(renderStatus(status)).not.toContain('\x1b')
    expect(renderStatus(status).match(/\\x1b\[31mred/g)).toHaveLength(3)
  })
})
