// A case run by all programs in turn, again and again, so that what else the machine does slows them all.

import { rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchCase, type Contestant, caseName, contestants } from './cases.ts'
import { measure, measureSync, type Run } from './measure.ts'
import { compareDumps } from './same-pages.ts'

export interface RaceOptions {
  readonly source: string
  /** Path of makedumpfile, when there is one to compare with. */
  readonly rival: string | undefined
  readonly runs: number
  /** Where outputs are written; they are removed. */
  readonly folder: string
}

export interface Entry {
  readonly name: string
  readonly runs: readonly Run[]
  /** Until the disk has the output, from the end of each run. */
  readonly syncMs: readonly number[]
  readonly outputBytes: number
}

export interface Race {
  readonly title: string
  readonly entries: readonly Entry[]
  /** Pages that were compared and found equal; undefined when there was one output only. */
  readonly samePages: number | undefined
  /** Why a program is not among the entries. */
  readonly failures: readonly string[]
}

/** Each program runs once unmeasured, and what it wrote is compared; then all in turn `runs` times. */
export function race(wanted: BenchCase, options: RaceOptions): Race {
  const { source, rival, runs, folder } = options
  const scratch = join(folder, 'time')
  const failures: string[] = []
  const running: Lane[] = []
  try {
    for (const contestant of contestants(wanted, source, rival)) {
      const lane = new Lane(contestant, join(folder, contestant.name))
      try {
        measure(lane.command, scratch)
        running.push(lane)
      } catch (error) {
        failures.push(`${contestant.name}: ${(error as Error).message.split('\n', 1)[0]}`)
      }
    }
    const [ours, theirs] = running
    const samePages = ours && theirs && compareDumps(ours.output, theirs.output)
    if (ours !== undefined) running.push(new Lane(copyOf(ours.output), join(folder, 'cat')))
    for (let i = 0; i < runs; i++) for (const lane of running) lane.run(scratch)
    return { title: caseName(wanted), entries: running, samePages, failures }
  } finally {
    for (const name of [...running.map(({ output }) => output), scratch]) rmSync(name, { force: true })
  }
}

/** What it takes to read and write that many bytes: no filter that writes them can be faster. */
const copyOf = (path: string): Contestant => ({
  name: 'cat',
  command: (output) => ['sh', '-c', 'cat "$0" > "$1"', path, output],
})

class Lane implements Entry {
  readonly name: string
  readonly output: string
  readonly command: readonly string[]
  readonly runs: Run[] = []
  readonly syncMs: number[] = []
  outputBytes = 0

  constructor({ name, command }: Contestant, output: string) {
    this.name = name
    this.output = output
    this.command = command(output)
    rmSync(output, { force: true })
  }

  run(scratch: string): void {
    rmSync(this.output, { force: true })
    this.runs.push(measure(this.command, scratch))
    this.syncMs.push(measureSync(this.output))
    this.outputBytes = statSync(this.output).size
  }
}
