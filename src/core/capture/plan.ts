// What a capture boot comes to, without doing it: what the kernel finds, checks and prints, and the
// header and notes it would put into its memory. The steps are in the kernel's order, for its messages
// follow it. Source: Linux arch/powerpc/kernel/fadump.c (early_init_dt_scan_fw_dump to fadump_process).

import { crashInfoSize } from '../../formats/fdh.ts'
import { readDeviceTree } from '../../formats/fdt/reader.ts'
import type { MachineImage } from '../../formats/machine-image/image.ts'
import type { CaptureState, FadumpConfig, MachineState } from '../../formats/machine-image/state.ts'
import { MiB } from '../address.ts'
import { RefusedError } from '../errors.ts'
import { readParameterArea } from '../firmware/bootargs.ts'
import { dumpAreaSize } from '../firmware/dump-area.ts'
import { getFirmware, type WaitingDump } from '../firmware/index.ts'
import { parseFadumpParameters } from '../firmware/kernel-parameters.ts'
import { kernelAbi } from '../firmware/pt-regs.ts'
import { findHighest, type Platform, wideHex } from '../firmware/reservation.ts'
import { intersect, makeRanges, type Range, type Ranges, rangeSize, subtract } from '../ranges.ts'
import { type MergedCommandLine, mergeCommandLine } from './command-line.ts'
import { noteBufferSize, writeCpuNotes } from './cpu-notes.ts'
import { readCrashInfo } from './crash-info-check.ts'
import { type CoreHeader, elfcorehdrSize, makeCoreHeaders, writeElfcorehdr } from './elfcorehdr.ts'

export type CapturePlan = AcceptedDump | LostDump

export interface AcceptedDump extends Core {
  readonly isAccepted: true
  /** What the kernel prints, in order. */
  readonly messages: readonly string[]
  readonly config: FadumpConfig
}

/** The kernel boots on as a normal one. */
export interface LostDump {
  readonly isAccepted: false
  readonly messages: readonly string[]
  /** What was preserved until now; undefined when the kernel did not take notice of the dump. */
  readonly config: FadumpConfig | undefined
  readonly error: RefusedError
}

/** What the kernel puts into its memory. */
interface Core {
  readonly capture: CaptureState
  readonly headers: readonly CoreHeader[]
  readonly elfcorehdr: Uint8Array
  readonly notes: Uint8Array
}

export type BootedMachine = Pick<MachineImage, 'state' | 'ram' | 'deviceTree' | 'path'>

/** @throws {FormatError} the tree or a structure in memory is damaged beyond what a kernel checks. */
export function planCapture(machine: BootedMachine): CapturePlan {
  const { state } = machine
  const firmware = getFirmware(state.firmware)
  const tree = readDeviceTree(machine.deviceTree, machine.path)
  const waiting = firmware.findDump(tree)
  if (waiting === undefined) return notNoticed([], 'the device tree tells of no dump')
  const merged = mergeParameters(machine, waiting.parameterArea)
  const messages = [...waiting.messages, ...merged.messages]
  const { enabled, nocma } = parseFadumpParameters(merged.commandLine)
  if (!enabled) return notNoticed(messages, 'the capture kernel was booted without fadump=on')
  const config = captureConfig(state, waiting, firmware.platform(tree), nocma)
  messages.push('fadump: Firmware-assisted dump is active.', ...preserveMessages(state.memory, config))
  try {
    const core = processDump(machine, waiting, config, messages)
    const { hasParameterArea } = waiting.check()
    const parameterArea = hasParameterArea ? config.parameterArea : undefined
    return {
      isAccepted: true,
      messages,
      config: { ...config, parameterArea },
      ...core,
      capture: { ...core.capture, commandLine: merged.commandLine },
    }
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error
    if (!messages.includes(error.message)) messages.push(error.message)
    return { isAccepted: false, messages, config, error }
  }
}

const notNoticed = (messages: readonly string[], reason: string): LostDump => ({
  isAccepted: false,
  messages,
  config: undefined,
  error: new RefusedError(reason),
})

function mergeParameters({ state, ram }: BootedMachine, area: number | undefined): MergedCommandLine {
  const { commandLine, kernel } = state
  if (area === undefined) return { commandLine, messages: [] }
  const append = readParameterArea(ram, area, kernel.commandLineSize)
  return mergeCommandLine(commandLine, append, kernel.commandLineSize)
}

/** What the capture kernel knows: from firmware's structure, and sizes it computes anew. */
function captureConfig(
  state: MachineState,
  waiting: WaitingDump,
  platform: Platform,
  nocma: boolean,
): FadumpConfig {
  const { reserveStart, bootMemoryRegions, bootMemoryCopy, parameterArea } = waiting
  const bootMemorySize = bootMemoryRegions.reduce((sum, region) => sum + region.size, 0)
  const last = bootMemoryRegions.at(-1)
  const headerSize = crashInfoSize(state.kernel, kernelAbi)
  return {
    enabled: true,
    nocma,
    reserveStart,
    reserveSize: dumpAreaSize(platform, bootMemorySize, { headerSize, pageSize: state.pageSize }),
    bootMemorySize,
    bootMemoryTop: last === undefined ? 0 : last.address + last.size,
    bootMemoryRegions,
    cpuStateSize: platform.cpuStateSize,
    hpteSize: platform.hpteSize,
    bootMemoryCopy,
    headerAddress: bootMemoryCopy === 0 ? 0 : bootMemoryCopy + bootMemorySize,
    fdmAddress: state.fadump?.fdmAddress,
    parameterArea,
    cma: undefined,
  }
}

/** Everything above boot memory is kept; a range that ends just there is announced with 0MB. */
const preserveMessages = (memory: Ranges, { bootMemoryTop }: FadumpConfig): string[] =>
  memory
    .filter(({ end }) => end >= bootMemoryTop)
    .map(({ start, end }) => {
      const from = Math.max(start, bootMemoryTop)
      const size = Math.floor((end - from) / MiB)
      return `fadump: Reserving ${size}MB of memory at ${wideHex(from)} for preserving crash data`
    })

/** @throws {RefusedError} in the kernel's words when it refuses the dump. */
function processDump(
  machine: BootedMachine,
  waiting: WaitingDump,
  config: FadumpConfig,
  messages: string[],
): Core {
  const { state, ram } = machine
  const { pageSize } = state
  const crashInfo = readCrashInfo(machine, config.headerAddress)
  const headerBuffer = allocate(
    freeBootMemory(state, config),
    elfcorehdrSize(config, state),
    pageSize,
    'elfcorehdr',
  )
  const check = waiting.check()
  messages.push(...check.messages)
  if (!check.isValid) throw new RefusedError(check.messages[0] ?? '')
  const cpus = waiting.readCpus(ram)
  const noteRoom = subtract(freeBootMemory(state, config), [headerBuffer])
  const noteBuffer = allocate(noteRoom, noteBufferSize(cpus, pageSize), pageSize, 'CPU notes buffer')
  const { vmcoreinfoAddress: note, vmcoreinfoSize } = crashInfo.header
  const headers = makeCoreHeaders({
    config,
    memory: state.memory,
    notes: noteBuffer,
    vmcoreinfo: { start: note, end: note + vmcoreinfoSize },
  })
  return {
    capture: {
      commandLine: '',
      elfcorehdrAddress: headerBuffer.start,
      elfcorehdrSize: rangeSize(headerBuffer),
      noteBufferAddress: noteBuffer.start,
      noteBufferSize: rangeSize(noteBuffer),
    },
    headers,
    elfcorehdr: writeElfcorehdr(headers, state.kernel.elfFlags),
    notes: writeCpuNotes(cpus, crashInfo),
  }
}

/** Where the capture kernel may put things: boot memory that nobody else has. */
function freeBootMemory(state: MachineState, config: FadumpConfig): Ranges {
  const { parameterArea } = config
  const parameters =
    parameterArea === undefined
      ? []
      : [{ start: parameterArea, end: parameterArea + state.kernel.commandLineSize }]
  const taken = makeRanges([...state.kernelReserved, ...state.reservedRanges, ...parameters])
  return subtract(intersect(state.memory, [{ start: 0, end: config.bootMemoryTop }]), taken)
}

/** The highest free pages. Nothing cannot be allocated: a register save area of no CPUs is refused. */
function allocate(free: Ranges, size: number, pageSize: number, what: string): Range {
  const start =
    size === 0 ? undefined : findHighest(free, size, { start: 0, end: Number.MAX_SAFE_INTEGER }, pageSize)
  if (start !== undefined) return { start, end: start + size }
  throw new RefusedError(`fadump: Failed to allocate ${size} bytes for ${what}`)
}
