// How much memory a kernel sets aside for a firmware-assisted dump, and where. Computed once at boot
// from the command line and the memory map; nothing here touches memory.
// Source: Linux arch/powerpc/kernel/fadump.c (fadump_reserve_mem and what it calls), 7.x.

import type { FadumpConfig } from '../../formats/machine-image/state.ts'
import { alignDown, alignUp, GiB, hex, MiB } from '../address.ts'
import { type Refusal, RefusedError } from '../errors.ts'
import { makeRanges, overlaps, type Range, type Ranges, rangeSize, subtract, totalSize } from '../ranges.ts'
import { dumpArea, dumpAreaSize, placeCopies, receptacleSize } from './dump-area.ts'
import { parseCrashkernel, parseFadumpParameters } from './kernel-parameters.ts'

/** What a firmware back end decides about the reservation. */
export interface Platform {
  /** Least boot memory the boot loader and firmware themselves need, bytes. */
  readonly minBootMemory: number
  readonly maxBootRegions: number
  /** Most bytes firmware copies as one region. */
  readonly maxCopySize: number
  /** Room firmware asks for, bytes. */
  readonly cpuStateSize: number
  readonly hpteSize: number
  /** Room for the kernel's own description of the dump at the end of the area, bytes. */
  readonly metadataSize: number
  readonly hasParameterArea: boolean
}

export interface ReservationInputs {
  readonly commandLine: string
  readonly memory: Ranges
  /** Firmware's own (`reserved-ranges` of the device tree). */
  readonly reservedRanges: Ranges
  /** Taken by the kernel before: its image, the device tree, RTAS. */
  readonly kernelReserved: Ranges
  readonly pageSize: number
  readonly mmu: 'radix' | 'hash'
  /** End of the real-mode area, bytes. */
  readonly rmaSize: number
  readonly platform: Platform
  /** Size of fadump_crash_info_header, bytes. */
  readonly headerSize: number
  /** COMMAND_LINE_SIZE. */
  readonly commandLineSize: number
}

export interface Reservation {
  readonly config: FadumpConfig
  /** What the kernel prints, in order. */
  readonly messages: readonly string[]
}

/** @throws {RefusedError} when the kernel would go on without fadump; its message is the kernel's. */
export function reserveDumpArea(inputs: ReservationInputs): Reservation {
  const parameters = parseFadumpParameters(inputs.commandLine)
  if (!parameters.enabled) {
    throw new RefusedError('fadump is not enabled', {
      errno: 'EPERM',
      hint: "put fadump=on or fadump=nocma into the machine's command line (create --cmdline)",
    })
  }
  const { pageSize, platform } = inputs
  const messages: string[] = []
  const bootMemorySize = alignUp(chooseBootMemorySize(inputs, parameters.reserveMemory, messages), pageSize)
  if (bootMemorySize < platform.minBootMemory) {
    const sizes = `(${hex(bootMemorySize)}) less than ${hex(platform.minBootMemory)}`
    throw refuse(`Can't enable fadump with boot memory size ${sizes}`, {
      printed: messages,
      hint: `give crashkernel=${platform.minBootMemory / MiB}M or more, on a machine with at least four times that memory`,
    })
  }
  const boot = findBootMemory(inputs, bootMemorySize)
  const reserveSize = dumpAreaSize(platform, bootMemorySize, inputs)
  const reserveStart = locateArea(inputs, boot.top, reserveSize)
  const area = dumpArea({ reserveStart, reserveSize })
  messages.push(
    `fadump: Reserved ${wholeMiB(reserveSize)}MB of memory at ${wideHex(reserveStart)} (System RAM: ${wholeMiB(totalSize(inputs.memory))}MB)`,
  )
  const cma = parameters.nocma ? undefined : findCmaWindow(inputs, reserveStart, bootMemorySize, messages)
  const bootMemoryCopy = reserveStart + receptacleSize(platform, pageSize)
  const config: FadumpConfig = {
    enabled: true,
    nocma: parameters.nocma,
    reserveStart,
    reserveSize,
    bootMemorySize,
    bootMemoryTop: boot.top,
    bootMemoryRegions: placeCopies(boot.regions.map(addressAndSize), bootMemoryCopy),
    cpuStateSize: platform.cpuStateSize,
    hpteSize: platform.hpteSize,
    bootMemoryCopy,
    headerAddress: bootMemoryCopy + bootMemorySize,
    fdmAddress: undefined,
    parameterArea: findParameterArea(inputs, boot.top, area, messages),
    cma,
  }
  return { config, messages }
}

/** 4.1 of the kernel's choice: crashkernel=, else the deprecated parameter, else 5 % of memory. */
function chooseBootMemorySize(inputs: ReservationInputs, reserveMemory: number, messages: string[]): number {
  const systemRam = totalSize(inputs.memory)
  if (reserveMemory > 0) {
    messages.push(
      "fadump: 'fadump_reserve_mem=' parameter is deprecated in favor of 'crashkernel=' parameter.",
    )
  }
  const crashkernel = parseCrashkernel(inputs.commandLine, systemRam)
  messages.push(...crashkernel.messages)
  if (crashkernel.size > 0) {
    if (reserveMemory > 0) {
      messages.push("fadump: Using 'crashkernel=' parameter for memory reservation.")
    }
    const most = Math.floor(systemRam / 4)
    if (crashkernel.size <= most) return crashkernel.size
    messages.push(`fadump: Adjusted boot memory size to ${wholeMiB(most)}MB`)
    return most
  }
  if (reserveMemory > 0) return reserveMemory
  return Math.max(alignDown(Math.floor(systemRam / 20), GiB / 4), inputs.platform.minBootMemory)
}

/**
 * Memory ranges from the bottom until `size` bytes are together, holes left out. The kernel's own loop
 * stops too early with more than one range (it both lowers the target and raises the sum); this is the
 * sum it means.
 */
function findBootMemory(inputs: ReservationInputs, size: number): { regions: Range[]; top: number } {
  const regions: Range[] = []
  let missing = size
  let holes = 0
  let lastEnd = 0
  for (const { start, end } of inputs.memory) {
    if (missing === 0) break
    holes += start - lastEnd
    lastEnd = end
    const stop = Math.min(end, start + missing)
    missing -= stop - start
    for (let at = start; at < stop; at += inputs.platform.maxCopySize) {
      regions.push({ start: at, end: Math.min(stop, at + inputs.platform.maxCopySize) })
    }
  }
  if (regions.length > inputs.platform.maxBootRegions) {
    throw refuse('Too many holes in boot memory area to enable fadump')
  }
  return { regions, top: alignUp(size + holes, inputs.pageSize) }
}

const addressAndSize = (range: Range) => ({ address: range.start, size: rangeSize(range) })

/** The lowest place above boot memory that is free and firmware does not use: hot-remove takes high memory. */
function locateArea(inputs: ReservationInputs, top: number, size: number): number {
  let base = top
  for (const free of subtract(inputs.memory, inputs.kernelReserved)) {
    if (free.start > base) base = alignUp(free.start, inputs.pageSize)
    while (free.end >= base + size) {
      const area = { start: base, end: base + size }
      const taken = inputs.reservedRanges.find((range) => overlaps(range, area))
      if (taken === undefined) return base
      base = alignUp(taken.end, inputs.pageSize)
    }
  }
  throw refuse('Failed to find memory chunk for reservation!', {
    hint: `${hex(size)} bytes in one piece above ${hex(top)} are needed; give a smaller crashkernel= or more memory`,
  })
}

/** The part of the area that production may use for movable pages; CMA wants whole page blocks. */
function findCmaWindow(
  inputs: ReservationInputs,
  reserveStart: number,
  bootMemorySize: number,
  messages: string[],
): Range | undefined {
  const unit = inputs.mmu === 'radix' ? 2 * MiB : 16 * MiB
  const start = alignUp(reserveStart, unit)
  const end = alignDown(reserveStart + bootMemorySize, unit)
  if (end <= start) {
    messages.push('fadump: fadump_cma_init: Too less memory to give to CMA')
    return undefined
  }
  messages.push(
    `fadump: Initialized [${hex(start)}, ${wholeMiB(end - start)}MB] cma area from [${hex(reserveStart)}, ${wholeMiB(bootMemorySize)}MB] bytes of memory reserved for firmware-assisted dump`,
  )
  return { start, end }
}

/** Room for the capture kernel's extra parameters, out of the boot loader's way, as high as possible. */
function findParameterArea(
  inputs: ReservationInputs,
  bootMemoryTop: number,
  area: Range,
  messages: string[],
): number | undefined {
  if (!inputs.platform.hasParameterArea) return undefined
  const minRma = 768 * MiB
  if (inputs.mmu === 'hash' && inputs.rmaSize < minRma) return undefined
  const memoryEnd = inputs.memory.at(-1)?.end ?? 0
  const window =
    inputs.mmu === 'radix'
      ? { start: memoryEnd / 2, end: memoryEnd }
      : { start: minRma, end: Math.min(inputs.rmaSize, bootMemoryTop) }
  const taken = makeRanges([...inputs.kernelReserved, ...inputs.reservedRanges, area])
  const found = findHighest(
    subtract(inputs.memory, taken),
    inputs.commandLineSize,
    window,
    inputs.commandLineSize,
  )
  if (found === undefined) {
    messages.push('fadump: WARNING: Could not setup area to pass additional parameters!')
  }
  return found
}

/** The highest `size` bytes of `free` inside `window`, aligned. */
export function findHighest(
  free: Ranges,
  size: number,
  window: Range,
  alignment: number,
): number | undefined {
  for (const range of free.toReversed()) {
    const at = alignDown(Math.min(range.end, window.end) - size, alignment)
    if (at >= Math.max(range.start, window.start)) return at
  }
  return undefined
}

const wholeMiB = (bytes: number): number => Math.floor(bytes / MiB)

/** An address as the kernel's `%#016llx` prints it. */
export const wideHex = (value: number): string =>
  value === 0 ? '0'.repeat(16) : `0x${value.toString(16).padStart(14, '0')}`

const refuse = (message: string, options: Refusal = {}): RefusedError =>
  new RefusedError(`fadump: ${message}`, { errno: 'ENODEV', ...options })
