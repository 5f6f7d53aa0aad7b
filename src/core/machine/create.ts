// Makes a machine image. The memory is copied in one pass, and what a kernel left in it is noted while
// it passes by; describe.ts then says what the machine is.

import { setImmediate } from 'node:timers/promises'
import { createMachineImage, type PutMemory } from '../../formats/machine-image/image.ts'
import { maxCpuCount } from '../../formats/machine-image/state-text.ts'
import { hex } from '../address.ts'
import { InterruptedError, UsageError, type Warning } from '../errors.ts'
import { intersect, type Ranges, rangeSize, totalSize } from '../ranges.ts'
import { describeMachine, type Finding, type MachineOptions } from './describe.ts'
import { collectLandmarks, type Landmarks, noLandmarks } from './landmarks.ts'
import { type MemorySource, pieceSize } from './memory-source.ts'

export interface CreateOptions {
  readonly force?: boolean
  readonly signal?: AbortSignal
  /** Bytes of memory that are done. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

export interface Creation {
  /** Path of the image. */
  readonly machine: string
  /** What it was made from. */
  readonly origin: string
  /** Bytes. */
  readonly memorySize: number
  readonly memory: readonly { readonly start: string; readonly end: string }[]
  /** CPUs that are there, with registers. */
  readonly cpus: number
  /** Where each fact about the machine came from. */
  readonly findings: readonly Finding[]
  readonly warnings: readonly Warning[]
}

/**
 * @throws {UsageError} options that cannot be, or do not go together.
 * @throws {TargetError} the image exists already, or the disk is full.
 * @throws {InterruptedError} the signal came; nothing is left behind.
 */
export async function createMachine(
  path: string,
  source: MemorySource,
  machine: MachineOptions,
  options: CreateOptions = {},
): Promise<Creation> {
  checkOptions(source, machine)
  let findings: readonly Finding[] = []
  const { state } = await createMachineImage(
    path,
    source.memory,
    async (put) => {
      const landmarks = await copyMemory(source, put, options)
      const described = describeMachine(source, landmarks, machine)
      findings = described.findings
      return { state: described.state, deviceTree: described.deviceTree }
    },
    { force: options.force === true },
  )
  return {
    machine: path,
    origin: state.origin,
    memorySize: totalSize(state.memory),
    memory: state.memory.map(({ start, end }) => ({ start: hex(start), end: hex(end) })),
    cpus: state.cpus.length,
    findings,
    warnings: source.warnings,
  }
}

function checkOptions(source: MemorySource, machine: MachineOptions): void {
  if (machine.firmware !== 'rtas') {
    throw new UsageError('OPAL firmware cannot be played yet', { hint: 'use --firmware rtas' })
  }
  if (totalSize(source.memory) === 0) throw new UsageError(`${source.name}: a machine needs memory`)
  if (machine.cpus !== undefined && machine.cpus < source.cpus.length) {
    throw new UsageError(`--cpus ${machine.cpus}: the dump has ${source.cpus.length} CPUs`)
  }
  const cpus = Math.max(machine.cpus ?? 1, source.cpus.length)
  if (cpus > maxCpuCount) throw new UsageError(`a machine has at most ${maxCpuCount} CPUs, not ${cpus}`)
  if (machine.nrCpus !== undefined && machine.nrCpus < cpus) {
    throw new UsageError(`--nr-cpus ${machine.nrCpus}: the machine has ${cpus} CPUs`)
  }
  for (const range of machine.reservedRanges ?? []) {
    if (intersect(source.memory, [range]).length > 0) continue
    throw new UsageError(`--reserved-range ${hex(range.start)}-${hex(range.end)}: no memory there`)
  }
}

async function copyMemory(source: MemorySource, put: PutMemory, options: CreateOptions): Promise<Landmarks> {
  const landmarks = noLandmarks()
  const buffer = new Uint8Array(pieceSize)
  const total = totalSize(source.memory)
  const sizeBelow = makeSizeBelow(source.memory)
  let pieces = 0
  for (const range of source.stored()) {
    const bytes = buffer.subarray(0, rangeSize(range))
    source.read(range.start, bytes)
    collectLandmarks(range.start, bytes, landmarks)
    put(range.start, bytes)
    // Signals and the spinner get their turn.
    if (++pieces % 32 === 0) await setImmediate()
    if (options.signal?.aborted === true) throw new InterruptedError()
    options.onProgress?.({ done: sizeBelow(range.end), total })
  }
  return landmarks
}

/** Bytes of memory below an address; addresses must be asked for in their order. */
function makeSizeBelow(memory: Ranges): (address: number) => number {
  let next = 0
  let passed = 0
  return (address) => {
    for (let range = memory[next]; range !== undefined && range.end <= address; range = memory[++next]) {
      passed += rangeSize(range)
    }
    return passed + Math.max(0, address - (memory[next]?.start ?? address))
  }
}
