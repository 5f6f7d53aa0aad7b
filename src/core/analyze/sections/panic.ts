// What died, and why? From the log alone; which CPU, from the fadump header too.

import type { CauseEvent } from '../../kernel/cause.ts'
import { type CpuNumber, crashingCpu } from '../../kernel/cpus.ts'
import { taintMeanings } from '../../kernel/taint.ts'
import type { Remark, Section } from '../section.ts'
import { crashHints, type Subject } from '../subject.ts'

export interface PanicAnswer {
  /** panic: the kernel panicked · oops: the dump was taken at an oops, before a panic · none: no sign of a crash */
  readonly state: 'panic' | 'oops' | 'none'
  /** The line that says most. */
  readonly message: string | undefined
  /** The line that it began with; the panic may be only its consequence. */
  readonly cause: CauseEvent | undefined
  readonly cpu: CpuNumber | undefined
  readonly task: { readonly pid: number; readonly comm: string } | undefined
  readonly taint: readonly { readonly flag: string; readonly meaning: string }[] | undefined
  readonly hardware: string | undefined
  /** Where the kernel was: `lkdtm_EXCEPTION+0x0/0x10 [lkdtm]`. */
  readonly instruction: string | undefined
  readonly callTrace: readonly string[]
  readonly modules: readonly string[]
  readonly hadEarlierOops: boolean
  /** Every line of the last minutes that tells of something wrong, oldest first. */
  readonly events: readonly CauseEvent[]
}

export const panicSection = {
  name: 'panic',
  title: 'What happened',
  read(subject: Subject, remark: (remark: Remark) => void): PanicAnswer {
    const { cause, message, events, facts, hadEarlierOops } = subject.cause()
    const isPanic = events.some((event) => event.isPanic)
    // Only a kernel that dies writes CRASHTIME; a hypervisor's dump of a live machine may hold an old oops.
    const hasCrashed =
      isPanic || subject.vmcoreinfo.crashTime !== undefined || subject.crashInfo() !== undefined
    if (!hasCrashed) remark({ kind: 'note', message: notCrashed })
    const hints = crashHints(subject)
    const cpu = hasCrashed ? crashingCpu(hints) : undefined
    if (cpu?.source !== 'log' && cpu !== undefined && facts?.cpu !== undefined && facts.cpu !== cpu.value) {
      remark({
        kind: 'note',
        message: `the ${cpu.source} says CPU ${cpu.value} crashed, the log CPU ${facts.cpu}`,
      })
    }
    return {
      state: isPanic ? 'panic' : hasCrashed && cause !== undefined ? 'oops' : 'none',
      message: hasCrashed ? message : undefined,
      cause: hasCrashed ? cause : undefined,
      cpu,
      task: facts?.pid === undefined || !hasCrashed ? undefined : { pid: facts.pid, comm: facts.comm ?? '' },
      taint: facts?.taint === undefined ? undefined : taintMeanings(facts.taint),
      hardware: facts?.hardware,
      instruction: facts?.instruction,
      callTrace: facts?.callTrace ?? [],
      modules: facts?.modules ?? [],
      hadEarlierOops,
      events,
    }
  },
} as const satisfies Section<string, PanicAnswer>

const notCrashed =
  'the log has no panic and the dump no crash time: it may be of a running machine, taken from outside'
