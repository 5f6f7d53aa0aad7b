import { readdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { RefusedError, TargetError } from '../../../src/core/errors.ts'
import { createMachineImage, openMachineImage } from '../../../src/formats/machine-image/image.ts'
import { makeMachine, makeMachineImage, makeMachineState } from '../../make/machine.ts'

const allocated = (path: string): number => statSync(path).blocks * 512

describe('machine image', () => {
  it('gives back the state, the device tree and the memory it was made from', async () => {
    const state = makeMachineState({ messages: [{ boot: 1, source: 'kernel', text: 'two\nlines — é' }] })
    const path = await makeMachineImage({
      state,
      deviceTree: Buffer.from('tree'),
      fill: (put) => put(3 * MiB, Buffer.from('in memory')),
    })
    using image = openMachineImage(path)
    expect(image.state).toEqual(state)
    expect(Buffer.from(image.deviceTree).toString()).toBe('tree')
    const into = Buffer.alloc(9)
    image.ram.read(3 * MiB, into)
    expect(into.toString()).toBe('in memory')
    expect(image.slot.damaged).toBeUndefined()
  })

  it('takes no room for zeros', async () => {
    const path = await makeMachineImage({ fill: (put) => put(0, new Uint8Array(8 * MiB)) })
    expect(statSync(path).size).toBe(16 * MiB + 512 * MiB)
    expect(allocated(path)).toBeLessThan(64 * 1024)
  })

  it('keeps the old state in the other slot', async () => {
    using image = await makeMachine()
    image.update(makeMachineState({ boots: 2 }))
    expect(image.state.boots).toBe(2)
    image.update(makeMachineState({ boots: 3 }), Buffer.from('another tree'))
    using again = openMachineImage(image.path)
    expect(again.state.boots).toBe(3)
    expect(Buffer.from(again.deviceTree).toString()).toBe('another tree')
    expect(again.slot.sequence).toBe(image.slot.sequence)
  })

  it('is for its owner only and leaves nothing beside it', async () => {
    const path = await makeMachineImage()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(path))).toEqual(['machine'])
  })

  it('is not written over unless asked', async () => {
    const path = await makeMachineImage()
    const state = makeMachineState({ boots: 7 })
    const make = () => ({ state, deviceTree: new Uint8Array() })
    await expect(createMachineImage(path, state.memory, make)).rejects.toThrow(TargetError)
    await createMachineImage(path, state.memory, make, { force: true })
    using image = openMachineImage(path)
    expect(image.state.boots).toBe(7)
  })

  it('refuses a second writer and lets readers in', async () => {
    using image = await makeMachine()
    expect(() => openMachineImage(image.path, { write: true })).toThrow(RefusedError)
    expect(() => openMachineImage(image.path, { write: true })).toThrow(`in use by process ${process.pid}`)
    using reader = openMachineImage(image.path)
    expect(reader.state).toEqual(image.state)
  })

  it('lets the next writer in when the first is done', async () => {
    const image = await makeMachine()
    image[Symbol.dispose]()
    using next = openMachineImage(image.path, { write: true })
    expect(next.state).toEqual(image.state)
  })
})
