// One writer at a time. Each writer puts down a claim, an empty file named after its process, and only
// then looks for other claims: of two that start together at least one withdraws, perhaps both.
// A claim counts while its process lives, so one that a killed process left means nothing and is
// removed. A process is its number and its start time, because numbers are used again.

import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { RefusedError } from '../../core/errors.ts'
import { writeFailure } from '../../core/output-file.ts'

/**
 * Take the machine for writing until disposed.
 * @throws {RefusedError} another process has it.
 */
export function lockMachine(path: string): Disposable {
  const target = existsSync(path) ? realpathSync(path) : path
  const folder = dirname(target)
  const claimOf = (pid: number, started: string): string => `.${basename(target)}.lock.${pid}.${started}`
  const mine = claimOf(process.pid, startTime(process.pid) ?? unknownStart)
  const release = (): void => rmSync(join(folder, mine), { force: true })
  let claims: readonly string[]
  try {
    writeFileSync(join(folder, mine), '', { flag: 'wx', mode: 0o600 })
    claims = readdirSync(folder)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') throw inUse(path, process.pid)
    release()
    throw writeFailure(path, cause)
  }
  for (const name of claims) {
    const [, pid, started = ''] = /\.lock\.(\d+)\.(\d+)$/.exec(name) ?? []
    if (name === mine || name !== claimOf(Number(pid), started)) continue
    if (isRunning(Number(pid), started)) {
      release()
      throw inUse(path, Number(pid))
    }
    rmSync(join(folder, name), { force: true })
  }
  return { [Symbol.dispose]: release }
}

const inUse = (path: string, pid: number): RefusedError =>
  new RefusedError(`${path}: the machine is in use by process ${pid}`, {
    errno: 'EBUSY',
    hint: 'one command at a time changes a machine; wait for the other one to end',
  })

/** Where there is no /proc. */
const unknownStart = '0'

function isRunning(pid: number, started: string): boolean {
  if (started !== unknownStart) return startTime(pid) === started
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * When a process started, in clock ticks after boot; undefined when there is none.
 * Source: proc(5), /proc/PID/stat, field 22; the name in field 2 may hold spaces and parentheses.
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}
