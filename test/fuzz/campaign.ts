// Many cases, in child processes that are watched: what takes too long is killed, what takes too much
// memory is told, and the next case goes to a new process.

import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { MiB } from '../../src/core/address.ts'
import type { Step } from './exercise.ts'

/** Cases [from, to). */
export interface Chunk {
  readonly seed: number
  readonly from: number
  readonly to: number
}

/** What a child says. `memory`: the most it ever had, bytes. */
export type Report =
  | { readonly kind: 'idle'; readonly memory: number }
  | { readonly kind: 'begin'; readonly number: number }
  | {
      readonly kind: 'end'
      readonly number: number
      readonly steps: readonly Step[]
      readonly failure: string | undefined
      readonly cpuMs: number
      readonly memory: number
    }

/** What no case may exceed. Waiting does not count as work: the machine may be busy. */
const limits = { cpuMs: 2000, memory: 512 * MiB } as const

export interface Failure {
  readonly number: number
  readonly reason: string
}

export interface Progress {
  readonly done: number
  /** How many cases got an answer from each step. */
  readonly answers: ReadonlyMap<Step, number>
  readonly failures: readonly Failure[]
  readonly slowest: { readonly number: number; readonly cpuMs: number }
  /** Of any child, bytes. */
  readonly memory: number
}

export interface CampaignOptions {
  readonly seed: number
  readonly first: number
  readonly count: number
  readonly jobs: number
  /** No more cases are begun after it, milliseconds. */
  readonly timeMs?: number
  /** What a child runs. */
  readonly program?: string
  /** A case that has no end by then hangs, milliseconds. */
  readonly wallMs?: number
  readonly onProgress?: (progress: Progress) => void
}

const chunkSize = 200

export async function runCampaign(options: CampaignOptions): Promise<Progress> {
  const { first, count, jobs, seed } = options
  const answers = new Map<Step, number>()
  const failures: Failure[] = []
  const progress = { done: 0, answers, failures, slowest: { number: first, cpuMs: 0 }, memory: 0 }
  const deadline = Date.now() + (options.timeMs ?? Number.POSITIVE_INFINITY)
  let next = first
  const take = (): Chunk | undefined => {
    if (next >= first + count || Date.now() > deadline) return undefined
    const from = next
    next = Math.min(from + chunkSize, first + count)
    return { seed, from, to: next }
  }

  /** The cases of a chunk; returns what is left of it when the child did not survive one. */
  function runChild(rest: Chunk | undefined): Promise<Chunk | undefined> {
    const child = fork(options.program ?? join(import.meta.dirname, 'child.ts'), [], {
      execArgv: [...process.execArgv, '--max-old-space-size=512'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    let chunk = rest
    let current: number | undefined
    let base: number | undefined
    let reason = ''
    let complaint = ''
    child.stderr?.on('data', (text) => {
      complaint = `${complaint}${text}`.slice(-2000)
    })
    const watch = watchdog(child, options.wallMs ?? 20_000, (why) => {
      reason = why
    })
    const fail = (number: number, why: string): void => {
      failures.push({ number, reason: why })
    }
    child.on('message', (report: Report) => {
      if (report.kind === 'begin') {
        current = report.number
        watch.restart()
        return
      }
      watch.stop()
      base ??= report.memory
      if (report.kind === 'idle') {
        chunk ??= take()
        if (chunk === undefined) child.disconnect()
        else child.send(chunk)
        return
      }
      const { number, cpuMs, memory } = report
      current = undefined
      progress.done++
      for (const step of report.steps) answers.set(step, (answers.get(step) ?? 0) + 1)
      if (cpuMs > progress.slowest.cpuMs) progress.slowest = { number, cpuMs }
      progress.memory = Math.max(progress.memory, memory - base)
      chunk = chunk !== undefined && number + 1 < chunk.to ? { ...chunk, from: number + 1 } : undefined
      if (report.failure !== undefined) fail(number, report.failure)
      else if (cpuMs > limits.cpuMs) fail(number, `took ${Math.round(cpuMs)} ms of CPU time`)
      if (memory - base > limits.memory) {
        if (report.failure === undefined)
          fail(number, `took ${Math.round((memory - base) / MiB)} MiB of memory`)
        child.kill('SIGKILL')
      }
      options.onProgress?.(progress)
    })
    return new Promise((resolve, reject) => {
      child.on('exit', (code, signal) => {
        watch.stop()
        if (base === undefined) {
          reject(new Error(`a child process did not start: ${complaint}`))
          return
        }
        if (current !== undefined) {
          fail(current, reason || `the process ended with ${signal ?? code}: ${complaint}`)
          progress.done++
          chunk = chunk !== undefined && current + 1 < chunk.to ? { ...chunk, from: current + 1 } : undefined
          options.onProgress?.(progress)
        }
        resolve(chunk)
      })
    })
  }

  async function runJob(): Promise<void> {
    let rest: Chunk | undefined
    do rest = await runChild(rest)
    while (rest !== undefined || (next < first + count && Date.now() <= deadline))
  }

  await Promise.all(Array.from({ length: jobs }, runJob))
  return progress
}

function watchdog(child: ChildProcess, wallMs: number, onKill: (why: string) => void) {
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => clearTimeout(timer)
  const restart = (): void => {
    stop()
    timer = setTimeout(() => {
      onKill(`hangs: no end after ${wallMs / 1000} s`)
      child.kill('SIGKILL')
    }, wallMs)
  }
  return { stop, restart }
}
