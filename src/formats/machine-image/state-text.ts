// The machine's state as JSON text and back. What is read was perhaps edited by hand or damaged: every
// field is checked before anything is done with it.

import { alignUp, isPowerOfTwo } from '../../core/address.ts'
import { FormatError } from '../../core/errors.ts'
import type { Ranges } from '../../core/ranges.ts'
import {
  type Check,
  fields,
  flag,
  list,
  matching,
  oneOf,
  optional,
  type Place,
  record,
  text,
  whole,
  wrong,
} from './check.ts'
import type {
  CaptureState,
  CrashState,
  FadumpConfig,
  FirmwareState,
  KernelTraits,
  MachineCpu,
  MachineMessage,
  MachineState,
} from './state.ts'

/** More ranges of memory than any firmware describes. */
export const maxRanges = 4096
export const maxCpuCount = 8192
/** FADUMP_MAX_MEM_REGS */
const maxBootRegions = 128

export const writeStateText = (state: MachineState): Uint8Array =>
  Buffer.from(`${JSON.stringify(state, null, 1)}\n`)

/** @throws {FormatError} naming the field that is wrong. */
export function parseStateText(bytes: Uint8Array, file: string): MachineState {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new FormatError({ file, field: 'machine state', expected: 'JSON text', cause })
  }
  return checkWhole(machineState(value, { file, path: '' }), file)
}

const address = whole()
const size = whole()

/** Sorted, not overlapping, not empty. */
const ranges: Check<Ranges> = (value, place) => {
  const checked = list(fields({ start: address, end: address }), maxRanges)(value, place)
  let last = 0
  for (const [i, range] of checked.entries()) {
    if (range.start >= range.end || range.start < last) {
      throw wrong(at(place, `[${i}]`), 'a range after the one before it, start below end', range)
    }
    last = range.end
  }
  return checked
}

const at = (place: Place, step: string): Place => ({ ...place, path: `${place.path}${step}` })

const registers = record(matching(/^0x[0-9a-f]{1,16}$/, 'a register value such as 0xc000000000000000'))

const cpu = fields<MachineCpu>({ id: whole(0, maxCpuCount - 1), online: flag, registers })

const kernelTraits = fields<KernelTraits>({
  release: optional(text),
  maxCpus: whole(1, maxCpuCount),
  ptRegsSize: whole(8, 4096),
  commandLineSize: whole(1, 65536),
  elfFlags: whole(0, 0xffffffff),
  vmcoreinfo: optional(fields({ address, size })),
})

const fadumpConfig = fields<FadumpConfig>({
  enabled: flag,
  nocma: flag,
  reserveStart: address,
  reserveSize: size,
  bootMemorySize: size,
  bootMemoryTop: address,
  bootMemoryRegions: list(fields({ address, size, copy: address }), maxBootRegions),
  cpuStateSize: size,
  hpteSize: size,
  bootMemoryCopy: address,
  headerAddress: address,
  fdmAddress: optional(address),
  parameterArea: optional(address),
  cma: optional(fields({ start: address, end: address })),
})

const firmwareState = fields<FirmwareState>({
  registered: flag,
  dumpActive: flag,
  fdm: optional(matching(/^([0-9a-f]{2})*$/, 'bytes in hexadecimal')),
  copying: flag,
  rmaSize: size,
})

const captureState = fields<CaptureState>({
  commandLine: text,
  elfcorehdrAddress: address,
  elfcorehdrSize: size,
  noteBufferAddress: address,
  noteBufferSize: size,
})

const crashState = fields<CrashState>({
  cpu: optional(whole(0, maxCpuCount - 1)),
  reason: text,
  time: whole(),
  writes: list(fields({ address, bytes: matching(/^([0-9a-f]{2})*$/, 'bytes in hexadecimal') }), 10_000),
})

const message = fields<MachineMessage>({ boot: whole(1), source: oneOf('kernel', 'firmware'), text })

const machineState = fields<MachineState>({
  stage: oneOf('production', 'registered', 'crashed', 'capture'),
  arch: oneOf('x86_64', 'ppc64le', 'arm64'),
  pageSize: whole(4096, 262144),
  mmu: oneOf('radix', 'hash'),
  firmware: oneOf('rtas', 'opal'),
  memory: ranges,
  reservedRanges: ranges,
  kernelReserved: ranges,
  maxCpus: whole(1, maxCpuCount),
  cpus: list(cpu, maxCpuCount),
  kernel: kernelTraits,
  commandLine: text,
  fadump: optional(fadumpConfig),
  firmwareState,
  capture: optional(captureState),
  crash: optional(crashState),
  boots: whole(1),
  messages: list(message, 100_000),
  origin: text,
})

/** What one field cannot say alone. */
function checkWhole(state: MachineState, file: string): MachineState {
  const place = (path: string): Place => ({ file, path })
  const { pageSize, memory, cpus } = state
  if (!isPowerOfTwo(pageSize)) throw wrong(place('pageSize'), 'a power of two', pageSize)
  if (memory.length === 0) throw wrong(place('memory'), 'at least one range', memory)
  for (const [i, range] of memory.entries()) {
    if (alignUp(range.start, pageSize) !== range.start || alignUp(range.end, pageSize) !== range.end) {
      throw wrong(place(`memory[${i}]`), `whole pages of ${pageSize} bytes`, range)
    }
  }
  if (state.stage === 'registered' && state.fadump === undefined) {
    throw wrong(place('fadump'), 'the reservation of a registered machine', undefined)
  }
  for (const [i, { id }] of cpus.entries()) {
    if (id >= state.maxCpus || (i > 0 && id <= (cpus[i - 1] as MachineCpu).id)) {
      throw wrong(place(`cpus[${i}].id`), 'rising numbers below maxCpus', id)
    }
  }
  return state
}
