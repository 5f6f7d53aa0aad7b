// SIGKILL at 100 random instants of register, trigger and boot-capture. Whenever it strikes, the machine
// is at the stage before or after, and the same command, run again, leaves it as an undisturbed one:
// the same state, the same memory.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB } from '../../src/core/address.ts'
import { openMachineImage } from '../../src/formats/machine-image/image.ts'
import { ramOffset } from '../../src/formats/machine-image/layout.ts'
import { fadump, program } from './program.ts'

const page = 65536
/** Fixed, so that every run writes the same. */
const steps = [
  { command: 'register', args: ['--bootargs-append', 'nr_cpus=1'], kills: 20 },
  { command: 'trigger', args: ['--cpu', '1', '--time', '1795447218'], kills: 30 },
  { command: 'boot-capture', args: [], kills: 50 },
] as const

let folder: string
/** The machine before the first step, and after each. */
let stages: string[]
/** Milliseconds each step takes undisturbed. */
let durations: number[]

const copy = (from: string, to: string): void => {
  expect(spawnSync('cp', [from, to]).status).toBe(0)
}

/** What cmp says of the RAM of two images, every byte of it; it lies behind the state. */
const compareRam = (one: string, other: string): string =>
  spawnSync('cmp', [`--ignore-initial=${ramOffset}`, one, other], { encoding: 'utf8' }).stdout

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fadump-kill-'))
  const first = join(folder, 'stage-0')
  const create = ['create', first, '--memory', '1280M', '--cpus', '2']
  expect(fadump([...create, '--cmdline', 'fadump=on crashkernel=320M']).exitCode).toBe(0)
  {
    using image = openMachineImage(first, { write: true })
    const next = random(7)
    for (let i = 0; i < 200; i++) {
      const bytes = Buffer.alloc(page, i + 1)
      image.ram.write(Math.floor(next() * 1279) * MiB, bytes)
    }
    image.update(image.state)
  }
  stages = [first]
  durations = steps.map(({ command, args }, i) => {
    const machine = join(folder, `stage-${i + 1}`)
    copy(stages[i] as string, machine)
    const started = Date.now()
    const { exitCode, err } = fadump([command, machine, ...args])
    expect({ command, exitCode, err: err.replace(/^warning: .*\n/, '') }).toEqual({
      command,
      exitCode: 0,
      err: '',
    })
    stages.push(machine)
    return Date.now() - started
  })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function killed(args: readonly string[], afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [program, ...args], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await setTimeout(afterMs)
  child.kill('SIGKILL')
  await ended
}

/** State without what differs by name, and the pages that are not zero in any of the machines. */
function contents(path: string) {
  using image = openMachineImage(path)
  const bytes = Buffer.alloc(page)
  const zero = Buffer.alloc(page)
  const pages: string[] = []
  for (let at = 0; at < 1280 * MiB; at += MiB) {
    for (const address of at % (16 * MiB) === 0 ? [at, at + page, at + 15 * page] : [at, at + page]) {
      image.ram.read(address, bytes)
      if (!bytes.equals(zero)) pages.push(`${address}: ${bytes.toString('base64').slice(0, 700)}`)
    }
  }
  return { state: image.state, tree: Buffer.from(image.deviceTree).toString('hex'), pages }
}

describe.each(steps.map((step, i) => ({ ...step, i })))('fadump $command', ({ command, args, kills, i }) => {
  it(`killed at ${kills} instants, is completed by the next one`, async () => {
    const seed = 20261123 + i
    const next = random(seed)
    const before = contents(stages[i] as string)
    const after = contents(stages[i + 1] as string)
    const machine = join(folder, 'victim')
    for (let n = 0; n < kills; n++) {
      copy(stages[i] as string, machine)
      const afterMs = next() * ((durations[i] as number) * 1.1)
      await killed([command, machine, ...args], afterMs)
      const place = `${command}, seed ${seed}, kill ${n} after ${afterMs.toFixed(1)} ms`
      {
        using image = openMachineImage(machine)
        expect([before.state.stage, after.state.stage], place).toContain(image.state.stage)
      }
      const { exitCode, err } = fadump([command, machine, ...args])
      expect({ exitCode, err: err.replace(/^warning: .*\n/, '') }, place).toEqual({ exitCode: 0, err: '' })
      const found = contents(machine)
      // A registration that was complete is done anew, and says so again.
      const { messages, ...state } = found.state
      const { messages: expected, ...wanted } = after.state
      expect(state, place).toEqual(wanted)
      expect([...new Set(messages.map(({ text }) => text))], place).toEqual(expected.map(({ text }) => text))
      expect(found.tree, place).toBe(after.tree)
      expect(found.pages, place).toEqual(after.pages)
      if (n % 10 === 0) expect(compareRam(machine, stages[i + 1] as string), place).toBe('')
    }
  }, 600_000)
})
