import { describe, expect, it } from 'vitest'
import { stampCrashTime } from '../../../src/core/firmware/crash-time.ts'
import { makeMachineState } from '../../make/machine.ts'
import { makeMemoryMachine } from '../../make/memory-machine.ts'

const machine = makeMemoryMachine(makeMachineState(), new Uint8Array())

describe('CRASHTIME', () => {
  it('is cut off where the page of VMCOREINFO ends, and nothing behind it is written', () => {
    const text = 'x'.repeat(65530)
    const [size, note] = stampCrashTime(machine, { address: 0x10000, text }, 1795447218)
    expect(size).toEqual({ address: 0x10004, bytes: Uint8Array.of(0, 0, 1, 0) })
    expect(note).toEqual({ address: 0x10018, bytes: Buffer.from(`${text}CRASHT`) })
  })
})
