// A small ppc64le machine as state, and as an image in a folder of its own.

import { join } from 'node:path'
import { MiB } from '../../src/core/address.ts'
import {
  createMachineImage,
  type MachineImage,
  openMachineImage,
  type PutMemory,
} from '../../src/formats/machine-image/image.ts'
import type { MachineCpu, MachineState } from '../../src/formats/machine-image/state.ts'
import { makeFolder } from './folder.ts'

export const makeCpu = (id: number): MachineCpu => ({
  id,
  online: true,
  registers: { nip: '0xc000000000001000', msr: '0x8000000000009033', r1: `0xc00000000010${id}000` },
})

/** 512 MiB, two CPUs, 64K pages, radix, RTAS, production stage. */
export function makeMachineState(change: Partial<MachineState> = {}): MachineState {
  return {
    stage: 'production',
    arch: 'ppc64le',
    pageSize: 65536,
    mmu: 'radix',
    firmware: 'rtas',
    memory: [{ start: 0, end: 512 * MiB }],
    reservedRanges: [],
    kernelReserved: [],
    maxCpus: 2,
    cpus: [makeCpu(0), makeCpu(1)],
    kernel: {
      release: '7.2.13',
      maxCpus: 16,
      ptRegsSize: 384,
      commandLineSize: 2048,
      elfFlags: 2,
      vmcoreinfo: undefined,
    },
    commandLine: 'fadump=on crashkernel=320M',
    fadump: undefined,
    firmwareState: {
      registered: false,
      dumpActive: false,
      fdm: undefined,
      copying: false,
      rmaSize: 512 * MiB,
    },
    capture: undefined,
    crash: undefined,
    boots: 1,
    messages: [],
    origin: 'blank',
    ...change,
  }
}

export interface MachineParts {
  readonly state?: MachineState
  readonly deviceTree?: Uint8Array
  readonly fill?: (put: PutMemory) => void
}

/** Path of a new image. */
export async function makeMachineImage(parts: MachineParts = {}): Promise<string> {
  const path = join(makeFolder(), 'machine')
  const { state = makeMachineState(), deviceTree = new Uint8Array(), fill } = parts
  await createMachineImage(path, state.memory, (put) => {
    fill?.(put)
    return { state, deviceTree }
  })
  return path
}

/** A new image, open for writing. */
export async function makeMachine(parts: MachineParts = {}): Promise<MachineImage> {
  return openMachineImage(await makeMachineImage(parts), { write: true })
}
