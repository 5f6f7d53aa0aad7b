// The firmware back ends, as a kernel's platform driver and the firmware behind it. To add one: write
// the two (as rtas-driver.ts and rtas.ts), put the driver in the list, add its life cycle to the tests.
// Source of the seam: struct fadump_ops in Linux arch/powerpc/include/asm/fadump-internal.h.

import type { DeviceNode } from '../../formats/fdt/tree.ts'
import type { MachineImage } from '../../formats/machine-image/image.ts'
import type { FadumpConfig, FirmwareName, FirmwareState } from '../../formats/machine-image/state.ts'
import type { SavedCpu } from '../../formats/regsave.ts'
import { RefusedError } from '../errors.ts'
import type { Platform } from './reservation.ts'
import { rtasFirmware } from './rtas-driver.ts'

/** What kernel and firmware work on. */
export type Machine = Pick<MachineImage, 'state' | 'ram'>

/** A call into firmware that worked. One that did not throws a RefusedError with the kernel's words. */
export interface CallResult {
  readonly firmwareState: FirmwareState
  /** What the kernel prints. */
  readonly messages: readonly string[]
}

export interface Firmware {
  readonly name: FirmwareName
  /** Sizes and limits from the device tree. @throws {RefusedError} the platform knows no such dump. */
  platform(tree: DeviceNode): Platform
  /** The kernel's request as it lies in its memory at `config.fdmAddress`. */
  writeRequest(config: FadumpConfig, machine: Machine): Uint8Array
  /** @throws {RefusedError} */
  register(machine: Machine, config: FadumpConfig): CallResult
  /** @throws {RefusedError} */
  unregister(machine: Machine): CallResult
  /** Give up the dump that waits. @throws {RefusedError} */
  invalidate(machine: Machine): CallResult
  /** The kernel gave up: save everything asked for. May be repeated, with the same result. */
  preserve(machine: Machine): FirmwareState
  /** What was asked for, and what became of it once the dump is taken. */
  listRegions(firmwareState: FirmwareState): readonly DumpRegion[]
  /** The tree of the next boot: a dump that waits is marked, any other mark is gone. */
  markDump(tree: DeviceNode, firmwareState: FirmwareState): DeviceNode
  /** The dump that waits, as the tree tells; undefined on a normal boot. @throws {FormatError} */
  findDump(tree: DeviceNode): WaitingDump | undefined
}

/** Memory that firmware saves at a crash. */
export interface DumpRegion {
  readonly name: string
  /** Physical address; undefined for what firmware itself provides. */
  readonly source: number | undefined
  readonly destination: number
  /** Bytes. */
  readonly size: number
  readonly saved: number
  /** Firmware's complaints, in words. */
  readonly problems: readonly string[]
}

/** What a capture kernel learns from firmware. */
export interface WaitingDump
  extends Pick<FadumpConfig, 'reserveStart' | 'bootMemoryRegions' | 'bootMemoryCopy' | 'parameterArea'> {
  /** What the kernel prints when it finds the dump. */
  readonly messages: readonly string[]
  /** Did firmware save everything? */
  check(): DumpCheck
  /** Registers in the order firmware saved them. @throws {RefusedError} they make no sense. */
  readCpus(ram: Machine['ram']): SavedCpu[]
}

export interface DumpCheck {
  readonly isValid: boolean
  /** False when the parameter area was not preserved; that alone does not spoil the dump. */
  readonly hasParameterArea: boolean
  /** What the kernel prints. */
  readonly messages: readonly string[]
}

const firmwareList: readonly Firmware[] = [rtasFirmware]

/** @throws {RefusedError} when the machine's firmware is not emulated yet. */
export function getFirmware(name: FirmwareName): Firmware {
  const firmware = firmwareList.find((candidate) => candidate.name === name)
  if (firmware !== undefined) return firmware
  throw new RefusedError(`${name} firmware is not emulated`, {
    hint: 'create the machine with --firmware rtas',
  })
}
