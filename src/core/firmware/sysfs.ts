// /sys/kernel/fadump as the machine's kernel would show it, and what it says of memory.
// Source: Linux arch/powerpc/kernel/fadump.c (enabled_show and its neighbours).

import type { MachineImage } from '../../formats/machine-image/image.ts'
import type { FadumpConfig, MachineState } from '../../formats/machine-image/state.ts'
import { alignDown, alignUp } from '../address.ts'
import { RefusedError } from '../errors.ts'
import { intersect, rangeSize, subtract, totalSize } from '../ranges.ts'
import { readParameterArea } from './bootargs.ts'
import { dumpArea } from './dump-area.ts'
import { getFirmware } from './index.ts'
import { planReservation } from './register.ts'

/** Contents of the files, without the newline. A file that is not there is undefined. */
export interface FadumpSysfs {
  readonly enabled: string
  readonly registered: string
  readonly mem_reserved: string
  readonly hotplug_ready: string
  /** Only with a parameter area. */
  readonly bootargs_append: string | undefined
  /** Can only be written; there while a dump waits. */
  readonly release_mem: string | undefined
}

/** What the running kernel set aside; before it is written down, what it would. */
export function currentReservation(image: MachineImage): FadumpConfig | undefined {
  if (image.state.fadump !== undefined) return image.state.fadump
  try {
    return planReservation(image, getFirmware(image.state.firmware)).config
  } catch (error) {
    if (error instanceof RefusedError) return undefined
    throw error
  }
}

/** Undefined between crash and capture boot: no kernel runs. */
export function readSysfs(image: MachineImage, config: FadumpConfig | undefined): FadumpSysfs | undefined {
  const { stage } = image.state
  if (stage === 'crashed') return undefined
  return {
    enabled: config === undefined ? '0' : '1',
    registered: stage === 'registered' ? '1' : '0',
    mem_reserved: `${config?.reserveSize ?? 0}`,
    hotplug_ready: '1',
    bootargs_append: readAppended(image, config),
    release_mem: stage === 'capture' ? '' : undefined,
  }
}

function readAppended(image: MachineImage, config: FadumpConfig | undefined): string | undefined {
  const { fadump, kernel } = image.state
  if (config?.parameterArea === undefined) return undefined
  // The kernel clears the area when it sets it up, whatever the memory held.
  return fadump === undefined
    ? ''
    : readParameterArea(image.ram, config.parameterArea, kernel.commandLineSize)
}

export interface MemoryUse {
  /** Bytes of RAM. */
  readonly total: number
  /** Bytes that the kernel can give to programs, its own needs not counted. */
  readonly usable: number
  /** The part of it that only movable pages may use. */
  readonly cma: number
}

/**
 * What `free` would call total. Production loses the reservation but for its CMA window, in whole pages;
 * a capture kernel has boot memory alone.
 */
export function memoryUse(state: MachineState, config: FadumpConfig | undefined): MemoryUse {
  const { memory, pageSize } = state
  const total = totalSize(memory)
  if (config === undefined) return { total, usable: total, cma: 0 }
  if (state.stage === 'crashed' || state.stage === 'capture') {
    return { total, usable: totalSize(intersect(memory, [{ start: 0, end: config.bootMemoryTop }])), cma: 0 }
  }
  const area = dumpArea(config)
  const reserved = { start: alignDown(area.start, pageSize), end: alignUp(area.end, pageSize) }
  const cma = config.cma === undefined ? 0 : rangeSize(config.cma)
  return { total, usable: totalSize(subtract(memory, [reserved])) + cma, cma }
}
