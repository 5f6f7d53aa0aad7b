// What a kernel writes to its memory between giving up and calling firmware, as far as tools look for
// it: the crash info header, CRASHTIME in VMCOREINFO, the panic's line in the log. No kernel runs in an
// emulated machine, so stacks, variables and devices stay as they were; see docs/compatibility.md.
// Source: Linux kernel/panic.c, arch/powerpc/kernel/{fadump,traps,rtas}.c.

import type { FadumpConfig, MachineCpu } from '../../formats/machine-image/state.ts'
import { ppc64le } from '../arch/ppc64.ts'
import { Bitmap } from '../bitmap.ts'
import { DumpError, type Warning } from '../errors.ts'
import type { LogSource } from '../kernel/printk.ts'
import { appendToLog, type MemoryWrite, printkLeftover } from '../kernel/printk-writer.ts'
import { Vmcoreinfo } from '../kernel/vmcoreinfo.ts'
import { VirtualMemory } from '../memory/virtual.ts'
import { crashedInfo, crashInfoBytes } from './crash-info.ts'
import { findVmcoreinfoNote, stampCrashTime } from './crash-time.ts'
import type { Machine } from './index.ts'
import { registersOf } from './pt-regs.ts'

/** How a machine dies. Firmware: ended from outside, the kernel has no part in it. */
export const crashCauses = ['panic', 'oops', 'system-reset', 'firmware'] as const
export type CrashCause = (typeof crashCauses)[number]

export interface Crash {
  readonly cause: CrashCause
  readonly reason: string
  /** The CPU that gives up. */
  readonly cpu: MachineCpu
  /** Seconds since 1970. */
  readonly time: number
}

export interface DyingKernel {
  readonly writes: readonly MemoryWrite[]
  /** What it prints on its console, the last line being what it tells firmware. */
  readonly messages: readonly string[]
  /** What could not be written. */
  readonly warnings: readonly Warning[]
}

/** Vector of the system reset exception, which the kernel finds in the registers. */
const systemResetTrap = 0x100n

export function dyingKernel(machine: Machine, config: FadumpConfig, crash: Crash): DyingKernel {
  if (crash.cause === 'firmware') return { writes: [], messages: [], warnings: [] }
  const warnings: Warning[] = []
  const note = findVmcoreinfoNote(machine)
  if (note === undefined) {
    warnings.push({ code: 'NO_VMCOREINFO', message: 'memory holds no VMCOREINFO note; the dump has none' })
  }
  const line = logLine(crash)
  const logged = note === undefined || line === undefined ? [] : addToLog(machine, note.text, crash, warnings)
  return {
    writes: [
      ...logged,
      ...(note === undefined ? [] : stampCrashTime(machine, note, crash.time)),
      { address: config.headerAddress, bytes: crashInfoBytes(crashInfo(machine, config, crash)) },
    ],
    messages: [...(line === undefined ? [] : [line.text]), terminationMessage(crash)],
    warnings,
  }
}

function crashInfo({ state }: Machine, config: FadumpConfig, { cause, cpu }: Crash) {
  const registers = registersOf(cpu)
  if (cause === 'system-reset') registers.set('trap', systemResetTrap)
  return crashedInfo(state, config, cpu.id, registers)
}

/** The line in the log; a system reset goes to firmware without one. */
function logLine({ cause, reason }: Crash): { text: string; level: number } | undefined {
  if (cause === 'panic') return { text: `Kernel panic - not syncing: ${reason}`, level: 0 }
  if (cause === 'oops') return { text: `Oops: ${reason}, sig: 11 [#1]`, level: 4 }
  return undefined
}

/** What ibm,os-term is called with. */
function terminationMessage({ cause, reason }: Crash): string {
  if (cause === 'panic') return `OS panic: ${reason}`
  return cause === 'oops' ? 'OS panic: die oops' : 'OS panic: System Reset'
}

function addToLog(
  machine: Machine,
  vmcoreinfo: string,
  crash: Crash,
  warnings: Warning[],
): readonly MemoryWrite[] {
  const line = logLine(crash)
  if (line === undefined) return []
  try {
    const text = Buffer.from(line.text)
    const leftover = printkLeftover(text, true, true)
    const record = { text, leftover, level: line.level, caller: 0x80000000 + crash.cpu.id }
    return appendToLog(openLog(machine, vmcoreinfo), [record])
  } catch (error) {
    if (!(error instanceof DumpError)) throw error
    const message = `the log does not get the line "${line.text}": ${error.message}`
    warnings.push({ code: 'LOG_NOT_WRITTEN', message })
    return []
  }
}

/** The running kernel's memory by virtual address. */
function openLog({ state, ram }: Machine, text: string): LogSource {
  const vmcoreinfo = new Vmcoreinfo(text)
  const { pageSize } = state
  const memory = {
    ranges: ram.ranges,
    read: ram.read,
    storedPages: () => new Bitmap(0),
    [Symbol.dispose]() {},
  }
  const translation = ppc64le.openTranslation({ facts: vmcoreinfo, memory, pageSize, segments: [] })
  const { littleEndian } = ppc64le.abi
  return { vmcoreinfo, memory: new VirtualMemory(memory, translation, { pageSize, littleEndian }) }
}
