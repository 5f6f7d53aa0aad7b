// `echo 1 > /sys/kernel/fadump/registered` and its neighbours, with what the kernel did at boot when it
// has not been done: reserve the area, set up the parameter area, build the request to firmware.
// Memory is written before the state that speaks of it, and writing it again changes nothing: a
// command that was killed is simply run again.
// Source: Linux arch/powerpc/kernel/fadump.c (setup_fadump, registered_store).

import { crashInfoSize } from '../../formats/fdh.ts'
import { readDeviceTree } from '../../formats/fdt/reader.ts'
import type { MachineImage } from '../../formats/machine-image/image.ts'
import type { FadumpConfig, MachineState } from '../../formats/machine-image/state.ts'
import { RefusedError } from '../errors.ts'
import { requireStage } from '../machine/lifecycle.ts'
import { addMessages } from '../machine/messages.ts'
import { makeParameterArea, readParameterArea } from './bootargs.ts'
import { crashInfoBytes, newCrashInfo } from './crash-info.ts'
import { type Firmware, getFirmware, type Machine } from './index.ts'
import { kernelAbi } from './pt-regs.ts'
import { findRequestPlace } from './request-place.ts'
import { type Reservation, reserveDumpArea } from './reservation.ts'

export interface RegisterOptions {
  /** Text for the capture kernel's command line, as `echo TEXT > bootargs_append` sets it. */
  readonly bootargsAppend?: string
}

export interface RegisterResult {
  readonly config: FadumpConfig
  /** What the kernel printed meanwhile. */
  readonly messages: readonly string[]
  readonly bootargsAppend: string
}

/**
 * Register; a machine that is registered is registered anew.
 * @throws {RefusedError} in the kernel's words; the machine's state is as it was.
 */
export function registerDump(image: MachineImage, options: RegisterOptions = {}): RegisterResult {
  requireStage(image, ['production', 'registered'], 'register')
  const firmware = getFirmware(image.state.firmware)
  const booted = image.state.fadump === undefined ? reserveAtBoot(image, firmware) : undefined
  const state = booted?.state ?? image.state
  const config = state.fadump as FadumpConfig
  const appended = options.bootargsAppend ?? (booted === undefined ? undefined : '')
  writeKernelMemory({ state, ram: image.ram }, firmware, appended)
  const withdrawn =
    state.stage === 'registered' ? firmware.unregister(image).firmwareState : state.firmwareState
  const ready = { state: { ...state, firmwareState: withdrawn }, ram: image.ram }
  const { firmwareState, messages } = firmware.register(ready, config)
  const printed = [...(booted?.messages ?? []), ...messages]
  image.update(addMessages({ ...state, stage: 'registered', firmwareState }, 'kernel', printed))
  const { commandLineSize } = state.kernel
  const bootargsAppend = readParameterArea(image.ram, config.parameterArea, commandLineSize)
  return { config, messages: printed, bootargsAppend }
}

/** `echo 0 > registered`. Without a registration there is nothing to do, and false comes back. */
export function unregisterDump(image: MachineImage): boolean {
  requireStage(image, ['production', 'registered'], 'register')
  if (image.state.stage === 'production') return false
  const { firmwareState } = getFirmware(image.state.firmware).unregister(image)
  image.update({ ...image.state, stage: 'production', firmwareState })
  return true
}

/** What the kernel sets aside at boot. @throws {RefusedError} when it goes on without fadump. */
export function planReservation(image: MachineImage, firmware: Firmware): Reservation {
  const { state } = image
  return reserveDumpArea({
    ...state,
    rmaSize: state.firmwareState.rmaSize,
    platform: firmware.platform(readDeviceTree(image.deviceTree, image.path)),
    headerSize: crashInfoSize(state.kernel, kernelAbi),
    commandLineSize: state.kernel.commandLineSize,
  })
}

/** What the kernel does once, early: the state with the reservation in it, and its messages. */
function reserveAtBoot(
  image: MachineImage,
  firmware: Firmware,
): { readonly state: MachineState; readonly messages: readonly string[] } {
  const { state } = image
  const { config, messages } = planReservation(image, firmware)
  const fdmAddress = findRequestPlace(image, config)
  if (fdmAddress === undefined) {
    throw new RefusedError('no room in boot memory for the request to firmware', {
      errno: 'ENOMEM',
      hint: `the kernel's own structure was not found and no page below ${state.firmwareState.rmaSize} is empty`,
    })
  }
  return { state: { ...state, fadump: { ...config, fdmAddress } }, messages }
}

/** The structures the kernel fills: its request to firmware, the crash info header, the parameter area. */
function writeKernelMemory(machine: Machine, firmware: Firmware, appended: string | undefined): void {
  const { state, ram } = machine
  const config = state.fadump as FadumpConfig
  if (appended !== undefined && (appended !== '' || config.parameterArea !== undefined)) {
    ram.write(config.parameterArea ?? 0, makeParameterArea(state, config, appended))
  }
  ram.write(config.headerAddress, crashInfoBytes(newCrashInfo(state, config)))
  ram.write(config.fdmAddress ?? 0, firmware.writeRequest(config, machine))
}
