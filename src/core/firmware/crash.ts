// The crash: the dying kernel's last writes, then firmware's copies, then the device tree of the boot
// that finds them. What the kernel writes is decided once and kept in the state before anything is
// written: a command that was killed in the middle is finished by the next one, with the same memory.

import { readDeviceTree } from '../../formats/fdt/reader.ts'
import { writeDeviceTree } from '../../formats/fdt/writer.ts'
import type { MachineImage } from '../../formats/machine-image/image.ts'
import type { FadumpConfig, MachineCpu } from '../../formats/machine-image/state.ts'
import { UsageError, type Warning } from '../errors.ts'
import { requireStage } from '../machine/lifecycle.ts'
import { addMessages } from '../machine/messages.ts'
import { type CrashCause, dyingKernel } from './dying-kernel.ts'
import { getFirmware } from './index.ts'

export interface CrashOptions {
  readonly cause: CrashCause
  readonly reason: string
  /** The CPU that gives up; the first one online when left out. */
  readonly cpu: number | undefined
  /** Seconds since 1970. */
  readonly time: number
}

export interface CrashResult {
  /** undefined when the machine was ended from outside. */
  readonly cpu: number | undefined
  readonly reason: string
  /** What kernel and firmware printed meanwhile. */
  readonly messages: readonly string[]
  readonly warnings: readonly Warning[]
  /**
   * `resumed`: this was the rest of a crash that had been interrupted; `repeated`: it was complete, and
   * nothing was done. Neither looks at the options.
   */
  readonly outcome: 'crashed' | 'resumed' | 'repeated'
}

/**
 * @throws {RefusedError} the machine is not registered.
 * @throws {UsageError} there is no such CPU online.
 */
export function crashMachine(image: MachineImage, options: CrashOptions): CrashResult {
  const isResumed = finishCrash(image)
  const { crash: earlier, stage } = image.state
  if (earlier !== undefined && stage === 'crashed') {
    const { cpu, reason } = earlier
    return { cpu, reason, messages: [], warnings: [], outcome: isResumed ? 'resumed' : 'repeated' }
  }
  requireStage(image, 'registered', 'trigger')
  const { state } = image
  const cpu = chooseCpu(state.cpus, options.cpu)
  const crash = { ...options, cpu }
  const { writes, messages, warnings } = dyingKernel(image, state.fadump as FadumpConfig, crash)
  const crashed = {
    ...addMessages(state, 'kernel', messages),
    stage: 'crashed' as const,
    firmwareState: { ...state.firmwareState, copying: true },
    crash: {
      cpu: options.cause === 'firmware' ? undefined : cpu.id,
      reason: options.reason,
      time: options.time,
      writes: writes.map(({ address, bytes }) => ({ address, bytes: Buffer.from(bytes).toString('hex') })),
    },
  }
  image.update(crashed)
  finishCrash(image)
  return { cpu: crashed.crash.cpu, reason: options.reason, messages, warnings, outcome: 'crashed' }
}

/** Do what is left of a crash; false when nothing is. */
export function finishCrash(image: MachineImage): boolean {
  const { state, ram } = image
  if (state.crash === undefined || !state.firmwareState.copying) return false
  for (const { address, bytes } of state.crash.writes) ram.write(address, Buffer.from(bytes, 'hex'))
  const firmware = getFirmware(state.firmware)
  const firmwareState = firmware.preserve(image)
  const tree = firmware.markDump(readDeviceTree(image.deviceTree, image.path), firmwareState)
  const crash = { ...state.crash, writes: [] }
  image.update({ ...state, firmwareState, crash }, writeDeviceTree(tree))
  return true
}

function chooseCpu(cpus: readonly MachineCpu[], wanted: number | undefined): MachineCpu {
  const online = cpus.filter((cpu) => cpu.online)
  const cpu = wanted === undefined ? online[0] : online.find(({ id }) => id === wanted)
  if (cpu !== undefined) return cpu
  const list = online.map(({ id }) => id).join(', ')
  throw new UsageError(`no CPU ${wanted ?? ''} is online`, { hint: `online are ${list}` })
}
