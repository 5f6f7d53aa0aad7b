// SIGKILL at 100 random instants of register, trigger and boot-capture, on the bundled machine. A twin
// that nobody disturbs goes through the same commands: at every kill each byte of memory outside the
// reserved area is as before the command or as the twin has it after, and the stage is one of the two;
// at the end of each command state, device tree and all memory equal the twin's.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MiB } from '../../src/core/address.ts'
import { type MachineImage, openMachineImage } from '../../src/formats/machine-image/image.ts'
import type { MachineStage } from '../../src/formats/machine-image/state.ts'
import { demoMachine } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump, program } from './program.ts'

const kills = 100
const killsPerCommand = 8
const seed = Number(process.env.FADUMP_SEED ?? Math.floor(Math.random() * 2 ** 31))

/** Numbers of [0, 1), the same for the same seed: mulberry32. */
function makeRandom(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const commands: readonly { args: readonly string[]; before: MachineStage; after: MachineStage }[] = [
  { args: ['register', '--bootargs-append', 'nr_cpus=1'], before: 'production', after: 'registered' },
  { args: ['trigger', '--cpu', '1', '--time', '1795447218'], before: 'registered', after: 'crashed' },
  { args: ['boot-capture'], before: 'crashed', after: 'capture' },
]

/** Runs a command and kills it after a while; true when it was killed before it was done. */
function runAndKill(args: readonly string[], afterMs: number): Promise<boolean> {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' })
    const timer = setTimeout(() => child.kill('SIGKILL'), afterMs)
    child.on('error', fail)
    child.on('exit', (_, signal) => {
      clearTimeout(timer)
      done(signal === 'SIGKILL')
    })
  })
}

/** A run that must succeed; how long it took. */
function run(args: readonly string[]): number {
  const start = performance.now()
  const { exitCode, err } = fadump(args)
  expect(exitCode, `${args.join(' ')}: ${err}`).toBe(0)
  return performance.now() - start
}

const page = 65536
const pages = (1280 * MiB) / page
/** The reserved area of this machine in whole pages; what is in it while a command runs is its own business. */
const isReserved = (number: number): boolean => number >= 0x1400 && number < 0x2802
const zeroPage = Buffer.alloc(page)

function readPage(image: MachineImage, number: number, into: Buffer): Buffer {
  image.ram.read(number * page, into)
  return into
}

/** Pages outside the reserved area that are not all zero. */
function takeSnapshot(path: string): Map<number, Buffer> {
  using image = openMachineImage(path)
  const snapshot = new Map<number, Buffer>()
  const buffer = Buffer.alloc(page)
  for (let number = 0; number < pages; number++) {
    if (isReserved(number) || readPage(image, number, buffer).equals(zeroPage)) continue
    snapshot.set(number, Buffer.from(buffer))
  }
  return snapshot
}

/** Is every byte the one of `a` or the one of `b`? */
const isMixOf = (bytes: Buffer, a: Buffer, b: Buffer): boolean =>
  bytes.every((byte, i) => byte === a[i] || byte === b[i])

function checkMemory(path: string, before: Map<number, Buffer>, after: Map<number, Buffer>): void {
  using image = openMachineImage(path)
  const buffer = Buffer.alloc(page)
  const changed: number[] = []
  for (const number of new Set([...before.keys(), ...after.keys()])) {
    const [old = zeroPage, next = zeroPage] = [before.get(number), after.get(number)]
    const now = readPage(image, number, buffer)
    if (!now.equals(old) && !now.equals(next) && !isMixOf(now, old, next)) changed.push(number)
  }
  expect(changed, 'pages that are neither as before nor as after').toEqual([])
}

/** State without messages, of which a repeated command prints more, device tree and memory. */
function expectEqual(path: string, twin: string): void {
  using ours = openMachineImage(path)
  using theirs = openMachineImage(twin)
  expect({ ...ours.state, messages: [] }).toEqual({ ...theirs.state, messages: [] })
  expect(Buffer.from(ours.deviceTree).equals(theirs.deviceTree)).toBe(true)
  const [a, b] = [Buffer.alloc(MiB), Buffer.alloc(MiB)]
  const different: number[] = []
  for (let at = 0; at < 1280 * MiB; at += MiB) {
    ours.ram.read(at, a)
    theirs.ram.read(at, b)
    if (!a.equals(b)) different.push(at)
  }
  expect(different, 'MiB that differ from the twin').toEqual([])
}

describe('a machine whose command is killed', () => {
  it(`at ${kills} random instants stays whole, and the command can be run again (FADUMP_SEED=${seed})`, async () => {
    const random = makeRandom(seed)
    const [path, twin] = [join(makeFolder(), 'machine'), join(makeFolder(), 'twin')]
    for (const machine of [path, twin]) run(['create', machine, '--from', demoMachine])
    let old = takeSnapshot(path)
    let killed = 0
    const outcomes = { before: 0, after: 0 }
    // Release changes no memory, so what one command left is what the next one finds.
    for (let round = 0; killed < kills; round++) {
      expect(round, 'rounds that killed too little').toBeLessThan(20)
      for (const { args, before, after } of commands) {
        const [name = '', ...options] = args
        const duration = run([name, twin, ...options])
        const next = takeSnapshot(twin)
        for (let attempt = 0; attempt < killsPerCommand && killed < kills; attempt++) {
          if (await runAndKill([name, path, ...options], random() * duration)) killed++
          using image = openMachineImage(path)
          expect([before, after]).toContain(image.state.stage)
          checkMemory(path, old, next)
          if (image.state.stage === after) {
            outcomes.after++
            break
          }
          outcomes.before++
        }
        run([name, path, ...options])
        expectEqual(path, twin)
        old = next
      }
      for (const machine of [path, twin]) run(['release', machine])
    }
    expect(killed).toBe(kills)
    expect(outcomes.before).toBeGreaterThan(0)
  }, 240_000)

  it(`while it is made is not there, and nothing stays when it is made after all (FADUMP_SEED=${seed})`, async () => {
    const random = makeRandom(seed)
    const path = join(makeFolder(), 'machine')
    const args = ['create', path, '--from', demoMachine, '-f']
    const duration = run(args)
    rmSync(path)
    for (let killed = 0; killed < 5; ) {
      const isKilled = await runAndKill(args, random() * duration)
      if (isKilled) killed++
      if (existsSync(path)) openMachineImage(path)[Symbol.dispose]()
      else expect(isKilled).toBe(true)
      rmSync(path, { force: true })
    }
    run(args)
    expect(readdirSync(dirname(path))).toEqual(['machine'])
  }, 60_000)
})
