import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FormatError, RefusedError } from '../../../src/core/errors.ts'
import { openMachineImage } from '../../../src/formats/machine-image/image.ts'
import { lockMachine } from '../../../src/formats/machine-image/lock.ts'
import { makeFolder } from '../../make/folder.ts'

/** Field 22 of /proc/PID/stat; `sh` and `node` have no spaces in their names. */
const startTime = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[21] as string

/** The claim of another process on a new machine. */
function makeClaim(pid: number, started: string): { path: string; claim: string } {
  const path = join(makeFolder(), 'machine')
  const claim = join(dirname(path), `.machine.lock.${pid}.${started}`)
  writeFileSync(claim, '')
  return { path, claim }
}

describe('the lock of a machine', () => {
  it('is gone when it is released', () => {
    const path = join(makeFolder(), 'machine')
    for (let round = 0; round < 2; round++) {
      using _lock = lockMachine(path)
      expect(readdirSync(dirname(path))).toHaveLength(1)
    }
    expect(readdirSync(dirname(path))).toEqual([])
  })

  it('is refused while another process has it, and that process is named', () => {
    const { path, claim } = makeClaim(process.ppid, startTime(process.ppid))
    expect(() => lockMachine(path)).toThrow(`${path}: the machine is in use by process ${process.ppid}`)
    expect(() => lockMachine(path)).toThrow(RefusedError)
    expect(readdirSync(dirname(path))).toEqual([claim.slice(dirname(path).length + 1)])
  })

  it('is free when the process that had it is dead', () => {
    const dead = spawnSync('true').pid
    const { path, claim } = makeClaim(dead, '12345')
    using _lock = lockMachine(path)
    expect(existsSync(claim)).toBe(false)
  })

  it('is free when the number of the dead process was given to another one', () => {
    const { path, claim } = makeClaim(process.ppid, `1${startTime(process.ppid)}`)
    using _lock = lockMachine(path)
    expect(existsSync(claim)).toBe(false)
  })

  it('is free when the claim names no process, and leaves alone what is no claim', () => {
    const { path } = makeClaim(0, 'nonsense')
    writeFileSync(join(dirname(path), '.machine.lock.999999999.0'), '')
    using _lock = lockMachine(path)
    expect(readdirSync(dirname(path)).sort()[0]).toBe('.machine.lock.0.nonsense')
    expect(readdirSync(dirname(path))).toHaveLength(2)
  })

  it('is asked for before the machine is opened, which may be another file by then', () => {
    const { path, claim } = makeClaim(process.ppid, startTime(process.ppid))
    mkdirSync(path)
    expect(() => openMachineImage(path, { write: true })).toThrow(RefusedError)
    rmSync(claim)
    expect(() => openMachineImage(path, { write: true })).toThrow(FormatError)
    expect(readdirSync(dirname(path))).toEqual(['machine'])
  })

  it('is not that of a neighbour whose name is longer', () => {
    const folder = makeFolder()
    using _lock = lockMachine(join(folder, 'machine.lock.1'))
    using _other = lockMachine(join(folder, 'machine'))
    expect(readdirSync(folder)).toHaveLength(2)
  })
})
