// The facts a kernel prints around an oops or panic: who was running where, how it got there. Wording
// of x86, arm64 and powerpc. Sources: Linux lib/dump_stack.c, arch/*/kernel/{dumpstack,process,traps}.c.

import type { LogLine } from './log-lines.ts'

export interface OopsFacts {
  readonly cpu: number | undefined
  readonly pid: number | undefined
  readonly comm: string | undefined
  /** Letters of the taint flags, `` when the kernel said `Not tainted`. */
  readonly taint: string | undefined
  readonly hardware: string | undefined
  /** Where the kernel was when it faulted: `lkdtm_EXCEPTION+0x0/0x10 [lkdtm]`. */
  readonly instruction: string | undefined
  /** The number in `[#1]`: 2 and more are consequences of an oops before. */
  readonly oopsCount: number | undefined
  readonly modules: readonly string[]
  /** Lines of the first call trace as printed, without registers. */
  readonly callTrace: readonly string[]
}

/** Lines after the one that names the cause; the longest oops blocks are shorter. */
const maxBlockLines = 400
const maxTraceLines = 128
const maxModules = 1024

const cpuLine =
  /^CPU: (\d{1,6}) (?:UID: \d{1,10} )?PID: (\d{1,10}) Comm: (.{1,64}?) (?:Kdump: loaded )?(Not tainted|Tainted: [A-Z ]*[A-Z])(?: |$)/
const hardwareLine = /^Hardware name: (.+)/
const instructionLine = /^(?:RIP: [0-9a-f]{4}:|pc : |NIP \[[0-9a-f]+\] )([^\s+]+\+0x[0-9a-f]+\/0x[0-9a-f]+.*)/
const oopsCountLine = /\[#(\d{1,6})\]/
const modulesLine = /^Modules linked in: ?(.*)/
const traceStart = /^Call [Tt]race:/
const frameLine = /^(\[[0-9a-f]+\] )?\s*(\? )?(\[[0-9a-f<>]+\] )?[\w.$]+\+0x[0-9a-f]+\/0x[0-9a-f]+/
const markerLine = /^\s*<\/?[\w#]{1,16}>$|^---- |^RIP: /
/** Registers and code, which x86 and powerpc print in the middle of a trace. */
const registerLine = /^(Code|R[A-Z0-9]{2}|[CFD]S|CR2|NIP|LR|REGS|MSR|CFAR|IRQMASK|GPR\d\d|--- interrupt)[: ]/

/** Facts from the lines that follow `start`, the index of the line that names the cause. */
export function parseOops(lines: readonly LogLine[], start: number): OopsFacts {
  const { caller } = lines[start] as LogLine
  const block = lines.slice(start, start + maxBlockLines)
  // CPUs write at the same time; with caller ids the block's own lines can be told from the others.
  const own = caller === undefined ? block : block.filter((line) => line.caller === caller)
  const first = (pattern: RegExp): RegExpExecArray | undefined => {
    for (const { text } of own) {
      const match = pattern.exec(text)
      if (match !== null) return match
    }
    return undefined
  }
  const cpu = first(cpuLine)
  return {
    cpu: numberOf(cpu?.[1]),
    pid: numberOf(cpu?.[2]),
    comm: cpu?.[3],
    taint: cpu?.[4]?.replace(/^Not tainted$|^Tainted: | /g, ''),
    hardware: first(hardwareLine)?.[1],
    instruction: first(instructionLine)?.[1],
    oopsCount: numberOf(first(oopsCountLine)?.[1]),
    modules:
      first(modulesLine)?.[1]
        ?.replace(/ ?\[last unloaded: .*/, '')
        .split(' ')
        .filter(Boolean)
        .slice(0, maxModules) ?? [],
    callTrace: callTrace(own.map((line) => line.text)),
  }
}

function callTrace(lines: readonly string[]): string[] {
  const start = lines.findIndex((text) => traceStart.test(text))
  const trace: string[] = []
  for (const text of start < 0 ? [] : lines.slice(start + 1)) {
    if (trace.length === maxTraceLines) break
    if (frameLine.test(text) || markerLine.test(text)) trace.push(text)
    else if (!registerLine.test(text)) break
  }
  return trace
}

const numberOf = (digits: string | undefined): number | undefined =>
  digits === undefined ? undefined : Number(digits)
