// A process that dies at any write: every write of an update is cut, before it, in its middle and after
// it, and the file is then read by somebody else.

import { describe, expect, it, vi } from 'vitest'
import { openMachineImage } from '../../../src/formats/machine-image/image.ts'
import { makeMachine, makeMachineState } from '../../make/machine.ts'

/** What the mocked file system did, and how many calls more it lives. */
const disk = vi.hoisted(() => ({
  calls: [] as string[],
  left: Number.POSITIVE_INFINITY,
  share: 0,
  /** What the call that is one too many throws. */
  error: new Error('killed'),
}))

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  const live = (call: string): void => {
    disk.calls.push(call)
    if (disk.left-- <= 0) throw disk.error
  }
  return {
    ...fs,
    fsyncSync(fd: number) {
      live('sync')
      fs.fsyncSync(fd)
    },
    writeSync(fd: number, bytes: Uint8Array, start: number, length: number, position: number) {
      if (disk.left === 0) fs.writeSync(fd, bytes, start, Math.floor(length * disk.share), position)
      live('write')
      return fs.writeSync(fd, bytes, start, length, position)
    },
  }
})

const memory = [{ start: 0, end: 65536 }]
const oldState = makeMachineState({ memory })
const newState = makeMachineState({ memory, boots: 2, origin: 'changed' })
const newTree = Buffer.from('the next tree')

async function makeOld() {
  const image = await makeMachine({ state: oldState, deviceTree: Buffer.from('the tree') })
  image.ram.write(100, Buffer.from('kept'))
  disk.calls = []
  return image
}

/** Calls of an update that nobody disturbs. */
const undisturbed = ['sync', 'write', 'write', 'write', 'sync']

describe('a machine image whose writer dies', () => {
  it('is updated in this order: memory synced, the other slot written, that synced', async () => {
    using image = await makeOld()
    image.update(newState, newTree)
    expect(disk.calls).toEqual(undisturbed)
  })

  it.each(undisturbed.flatMap((_, call) => [0, 0.5, 1].map((share) => [call, share])))(
    'at call %i, %d of that write done: the state is the old or the new one, whole',
    async (call, share) => {
      using image = await makeOld()
      Object.assign(disk, { left: call, share })
      expect(() => image.update(newState, newTree)).toThrow()
      disk.left = Number.POSITIVE_INFINITY

      using found = openMachineImage(image.path)
      const isNew = found.state.boots === 2
      expect(found.state).toEqual(isNew ? newState : oldState)
      expect(Buffer.from(found.deviceTree).toString()).toBe(isNew ? 'the next tree' : 'the tree')
      // Only when the header, written last, is there.
      expect(isNew).toBe(call > 3 || (call === 3 && share === 1))
      const into = Buffer.alloc(4)
      found.ram.read(100, into)
      expect(into.toString()).toBe('kept')

      // The same again, by the next process, works.
      image[Symbol.dispose]()
      using next = openMachineImage(image.path, { write: true })
      next.update(newState, newTree)
      using after = openMachineImage(image.path)
      expect(after.state).toEqual(newState)
      expect(after.slot.damaged).toBeUndefined()
    },
  )

  it('keeps the old state when the disk is full, and says what to do', async () => {
    using image = await makeOld()
    Object.assign(disk, {
      left: 1,
      error: Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', errno: -28 }),
    })
    expect(() => image.update(newState)).toThrow(
      expect.objectContaining({
        message: `${image.path}: no space left on the device`,
        hint: 'free some space and run the command again; the machine is as it was',
        exitCode: 5,
      }),
    )
    disk.left = Number.POSITIVE_INFINITY
    expect(image.state).toEqual(oldState)
    using found = openMachineImage(image.path)
    expect(found.state).toEqual(oldState)
  })
})
