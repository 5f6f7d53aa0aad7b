// The CPUs of a crashed machine: their registers from the dump's notes, and which note is whose. Notes
// carry no CPU number, and who wrote them decides what can be known; every answer says how it was found.

import { findPrstatus, type Prstatus } from '../../formats/elf/prstatus.ts'
import { findQemuCpus, type QemuCpuState } from '../../formats/elf/qemu-note.ts'
import { type CrashInfo, cpuMaskHas, unknownCpu } from '../../formats/fdh.ts'
import { FaultError } from '../errors.ts'
import type { Kernel } from './kernel.ts'

/** What this takes of a kernel; without its memory less is known of whose notes are whose. */
export type CpuSource = Pick<Kernel, 'dump' | 'arch' | 'vmcoreinfo'> & Partial<Pick<Kernel, 'memory'>>

type Confidence = 'exact' | 'likely' | 'guess'

export interface CpuNumber {
  readonly value: number
  /** Where it is from: `paca`, `fadump header`, `QEMU`, `log` or `position` of the note. */
  readonly source: string
  readonly confidence: Confidence
}

export interface CpuState {
  readonly cpu: CpuNumber
  /** As the note has it; means a process only in kdump's notes. */
  readonly pid: number
  readonly mode: 'user' | 'kernel'
  readonly programCounter: bigint
  readonly stackPointer: bigint
  /** By the architecture's names, in its order. */
  readonly registers: Readonly<Record<string, bigint>>
}

/** What is known of the crash besides the notes. */
export interface CrashHints {
  readonly crashInfo?: CrashInfo | undefined
  /** CPU and process of the `CPU: 1 PID: 1` line. */
  readonly log?: { readonly cpu: number | undefined; readonly pid: number | undefined } | undefined
}

/** In the order of CPU numbers. */
export function readCpus(kernel: CpuSource, hints: CrashHints): CpuState[] {
  const { arch, dump } = kernel
  const notes = findPrstatus(dump.notes, arch)
  const qemu = arch.name === 'x86_64' ? findQemuCpus(dump.notes) : []
  const numbers = numberNotes(kernel, notes, hints)
  return notes
    .map((note, i): CpuState => {
      const { registers, pid } = note
      return {
        cpu: numbers[i] as CpuNumber,
        pid,
        mode: isUserMode(kernel, note) ? 'user' : 'kernel',
        programCounter: registers[arch.registers.programCounter] ?? 0n,
        stackPointer: registers[arch.registers.stackPointer] ?? 0n,
        registers: { ...registers, ...controlRegisters(qemu[i]) },
      }
    })
    .sort((a, b) => a.cpu.value - b.cpu.value)
}

/** The CPU that crashed, by the best of the hints. */
export function crashingCpu({ crashInfo, log }: CrashHints): CpuNumber | undefined {
  if (crashInfo !== undefined && crashInfo.header.crashingCpu !== unknownCpu) {
    return { value: crashInfo.header.crashingCpu, source: 'fadump header', confidence: 'exact' }
  }
  return log?.cpu === undefined ? undefined : { value: log.cpu, source: 'log', confidence: 'likely' }
}

function isUserMode({ arch }: CpuSource, { registers }: Prstatus): boolean {
  const { register, mask, value } = arch.registers.userMode
  return ((registers[register] ?? 0n) & mask) === value
}

const controlRegisters = (state: QemuCpuState | undefined): Record<string, bigint> =>
  state === undefined
    ? {}
    : {
        ...Object.fromEntries(state.control.map((value, i) => [`cr${i}`, value])),
        kernel_gs_base: state.kernelGsBase,
      }

type Numbering = (CpuNumber | undefined)[]

/** The rules in order of trust; a note that a better rule has numbered keeps its number. */
function numberNotes(kernel: CpuSource, notes: readonly Prstatus[], hints: CrashHints): CpuNumber[] {
  const rules: Numbering[] = [
    byPaca(kernel, notes),
    byCrashInfo(kernel, notes, hints.crashInfo),
    byQemu(kernel, notes),
    byLog(kernel, notes, hints),
  ]
  const numbers: Numbering = notes.map(() => undefined)
  const taken = new Set<number>()
  for (const rule of rules) {
    // A rule that gives one number twice knows nothing.
    const given = rule.flatMap((number) => number?.value ?? [])
    if (new Set(given).size < given.length) continue
    rule.forEach((number, i) => {
      if (number === undefined || numbers[i] !== undefined || taken.has(number.value)) return
      numbers[i] = number
      taken.add(number.value)
    })
  }
  return fillByPosition(numbers, taken)
}

/** What is left goes to the lowest numbers that are left, in order. */
function fillByPosition(numbers: Numbering, taken: Set<number>): CpuNumber[] {
  let next = 0
  return numbers.map((number) => {
    if (number !== undefined) return number
    while (taken.has(next)) next++
    taken.add(next)
    return { value: next, source: 'position', confidence: 'guess' }
  })
}

/**
 * ppc64: in kernel mode r13 points at the CPU's paca, whose second word holds the CPU's number and the
 * constant 0x8000. Source: Linux arch/powerpc/include/asm/paca.h.
 */
function byPaca(kernel: CpuSource, notes: readonly Prstatus[]): Numbering {
  const { memory, arch } = kernel
  if (arch.name !== 'ppc64le' || memory === undefined) return []
  return notes.map((note) => {
    const paca = note.registers.r13
    if (paca === undefined || isUserMode(kernel, note)) return undefined
    try {
      if (memory.u16(paca + pacaLockToken) !== 0x8000) return undefined
      const value = memory.u16(paca + pacaIndex)
      return { value, source: 'paca', confidence: 'exact' }
    } catch (error) {
      if (error instanceof FaultError) return undefined
      throw error
    }
  })
}

/** Bytes into struct paca_struct of little-endian kernels: after the pointer lppaca_ptr. */
const pacaIndex = 8n
const pacaLockToken = 10n

/**
 * fadump writes a note for every CPU of the mask, in the order of their numbers, and the crashing CPU's
 * holds the registers that the header holds too.
 */
function byCrashInfo(kernel: CpuSource, notes: readonly Prstatus[], info: CrashInfo | undefined): Numbering {
  if (info === undefined) return []
  const { arch } = kernel
  const crashed = notes.findIndex((note) => hasRegisters(kernel, note, info.registers))
  const online: number[] = []
  for (let cpu = 0; cpu < info.cpuMask.length * 8; cpu++) {
    if (cpuMaskHas(info.cpuMask, cpu, arch.abi)) online.push(cpu)
  }
  const isWhole =
    online.length === notes.length && (crashed < 0 || online[crashed] === info.header.crashingCpu)
  return notes.map((_, i) => {
    const value = isWhole ? online[i] : i === crashed ? info.header.crashingCpu : undefined
    if (value === undefined) return undefined
    return { value, source: 'fadump header', confidence: crashed < 0 ? 'likely' : 'exact' }
  })
}

function hasRegisters({ arch }: CpuSource, note: Prstatus, ptRegs: Uint8Array): boolean {
  const view = new DataView(ptRegs.buffer, ptRegs.byteOffset, ptRegs.length)
  return arch.registers.names.every(
    (name, i) =>
      i * 8 + 8 <= ptRegs.length && view.getBigUint64(i * 8, arch.abi.littleEndian) === note.registers[name],
  )
}

/** A hypervisor's dump: pr_pid is the CPU number + 1, and there is no CRASHTIME, which only a kernel writes. */
const byQemu = ({ vmcoreinfo }: CpuSource, notes: readonly Prstatus[]): Numbering =>
  vmcoreinfo.crashTime !== undefined || notes.some(({ pid }) => pid < 1 || pid > 65536)
    ? []
    : notes.map(({ pid }) => ({ value: pid - 1, source: 'QEMU', confidence: 'exact' }))

/**
 * kdump: notes are in CPU order, but those of CPUs that did not answer are missing. The process of the
 * log's CPU line tells that CPU's note; if it stands where it belongs, none before it is missing.
 */
function byLog({ vmcoreinfo }: CpuSource, notes: readonly Prstatus[], { log }: CrashHints): Numbering {
  const { cpu, pid } = log ?? {}
  if (vmcoreinfo.crashTime === undefined || cpu === undefined || pid === undefined || pid === 0) return []
  const own = notes.flatMap((note, i) => (note.pid === pid ? [i] : []))
  if (own.length !== 1) return []
  const likely = (value: number): CpuNumber => ({ value, source: 'log', confidence: 'likely' })
  if (own[0] === cpu) return notes.slice(0, cpu + 1).map((_, i) => likely(i))
  return notes.map((_, i) => (i === own[0] ? likely(cpu) : undefined))
}
