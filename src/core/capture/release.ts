// `echo 1 > /sys/kernel/fadump/release_mem`, and what the kernel does of its own accord with a dump it
// refuses: firmware forgets the dump, the memory that was kept for it is free again, the dump area stays
// reserved for the next registration.
// Source: Linux arch/powerpc/kernel/fadump.c (fadump_invalidate_release_mem).

import { readDeviceTree } from '../../formats/fdt/reader.ts'
import { writeDeviceTree } from '../../formats/fdt/writer.ts'
import type { MachineImage } from '../../formats/machine-image/image.ts'
import type { FadumpConfig, MachineState } from '../../formats/machine-image/state.ts'
import { alignDown, alignUp, hex } from '../address.ts'
import { dumpArea } from '../firmware/dump-area.ts'
import { getFirmware } from '../firmware/index.ts'
import { requireStage } from '../machine/lifecycle.ts'
import { addMessages } from '../machine/messages.ts'
import { printableLine } from '../printable.ts'
import { makeRanges, type Ranges, subtract, totalSize } from '../ranges.ts'
import { renderSize } from '../units.ts'

export interface ReleaseResult {
  readonly machine: string
  /** Memory that is free again. */
  readonly freed: readonly { readonly start: string; readonly end: string }[]
  /** Bytes of it. */
  readonly freedSize: number
  /** What the kernel printed meanwhile. */
  readonly messages: readonly string[]
}

/** @throws {RefusedError} the machine does not run its capture kernel. */
export function releaseDump(image: MachineImage): ReleaseResult {
  requireStage(image, 'capture', 'release')
  return giveUpDump(image, image.state, image.state.fadump)
}

/** `state` becomes a production state. Without `config` the kernel had kept nothing. */
export function giveUpDump(
  image: MachineImage,
  state: MachineState,
  config: FadumpConfig | undefined,
): ReleaseResult {
  const firmware = getFirmware(state.firmware)
  const { firmwareState, messages } = firmware.invalidate(image)
  const freed = config === undefined ? [] : freedRanges(state, config)
  const printed = [
    ...messages,
    ...freed.map(({ start, end }) => `fadump: freeing reserved memory (${hex(start)} - ${hex(end)})`),
  ]
  const next = {
    ...addMessages(state, 'kernel', printed),
    stage: 'production' as const,
    firmwareState,
    fadump: config,
    capture: undefined,
    crash: undefined,
  }
  const tree = firmware.markDump(readDeviceTree(image.deviceTree, image.path), firmwareState)
  image.update(next, writeDeviceTree(tree))
  return {
    machine: image.path,
    freed: freed.map(({ start, end }) => ({ start: hex(start), end: hex(end) })),
    freedSize: totalSize(freed),
    messages: printed,
  }
}

/**
 * Whole pages above boot memory without the dump area and firmware's own ranges. The kernel rounds the
 * area's end down and so frees the page of the crash info header too, which a later registration writes
 * to; here that page stays reserved.
 */
function freedRanges({ memory, reservedRanges, pageSize }: MachineState, config: FadumpConfig): Ranges {
  const bootMemory = { start: 0, end: config.bootMemoryTop }
  const kept = makeRanges([bootMemory, dumpArea(config), ...reservedRanges])
  return makeRanges(
    subtract(memory, kept).map(({ start, end }) => ({
      start: alignUp(start, pageSize),
      end: alignDown(end, pageSize),
    })),
  )
}

export const renderRelease = ({ machine, freedSize, messages }: ReleaseResult): string =>
  [
    ...messages,
    `${printableLine(machine)}: the dump is given up, ${renderSize(freedSize)} of memory are free again; the next is fadump register`,
  ].join('\n')
