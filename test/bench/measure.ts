// One run of another program, as the operating system accounts for it.

import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'

export interface Run {
  readonly wallMs: number
  /** User and system time of all its threads and children. */
  readonly cpuMs: number
  /** Most memory resident at once, bytes. */
  readonly residentBytes: number
}

/**
 * Runs a command with GNU time around it, which costs about a millisecond.
 * @param scratch file that may be overwritten
 * @throws {Error} with what the command printed when it fails
 */
export function measure(command: readonly string[], scratch: string): Run {
  rmSync(scratch, { force: true })
  const started = performance.now()
  const { error, status, stderr } = spawnSync('time', ['-f', '%U %S %M', '-o', scratch, ...command], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const wallMs = performance.now() - started
  if (error !== undefined) throw new Error(`GNU time is needed (Debian package time): ${error.message}`)
  if (status !== 0) throw new Error(`exit ${status}: ${stderr.trim() || command.join(' ')}`)
  const [user, system, kibibytes] = readFileSync(scratch, 'utf8').trim().split(' ').map(Number)
  if (user === undefined || system === undefined || kibibytes === undefined) {
    throw new Error('GNU time told no times')
  }
  return { wallMs, cpuMs: (user + system) * 1000, residentBytes: kibibytes * 1024 }
}

/** Milliseconds until the disk has the file. */
export function measureSync(path: string): number {
  const started = performance.now()
  const { status } = spawnSync('sync', [path], { stdio: 'ignore' })
  if (status !== 0) throw new Error(`sync ${path}: exit ${status}`)
  return performance.now() - started
}

/** @param values not empty */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
}
