// A few hundred of the cases that `npm run fuzz` does by the hundred thousand, and the fuzzer itself.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../make/folder.ts'
import { runCampaign } from './campaign.ts'
import { exercise, steps } from './exercise.ts'
import { makeInputs } from './inputs.ts'
import { makeCase } from './mutate.ts'

const inputs = makeInputs()

function writeAll(folder: string, files: readonly Uint8Array[]): readonly string[] {
  return files.map((bytes, i) => {
    const path = join(folder, `${i}`)
    writeFileSync(path, bytes)
    return path
  })
}

describe('damaged dumps', () => {
  it.each(inputs)('$name: undamaged, every step has an answer', async ({ name, files }) => {
    const paths = writeAll(
      makeFolder(),
      files.map(({ bytes }) => bytes),
    )
    const isForeign = /i386|big endian/.test(name)
    const ofKernel = new Set(['kernel', 'classify', 'dmesg', 'filter to kdump'])
    expect(await exercise(paths)).toEqual(steps.filter((step) => !isForeign || !ofKernel.has(step)))
  })

  it('are read or refused, each soon and in bounded memory', async () => {
    const folder = makeFolder()
    const before = process.resourceUsage().maxRSS
    for (let number = 0; number < 200; number++) {
      const { name, changes, files } = makeCase(inputs, 20261125, number)
      const started = process.cpuUsage()
      await exercise(writeAll(folder, files)).catch((cause) => {
        throw new Error(`case ${number}, ${name}: ${changes.join('; ')}: ${cause}`, { cause })
      })
      const { user, system } = process.cpuUsage(started)
      expect(user + system, `case ${number}: ${changes.join('; ')}`).toBeLessThan(2e6)
    }
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(512 * 1024)
  })

  it('come again from the seed and their number', () => {
    expect(makeCase(inputs, 1, 77)).toEqual(makeCase(inputs, 1, 77))
    expect(makeCase(inputs, 1, 77)).not.toEqual(makeCase(inputs, 2, 77))
    const names = Array.from({ length: 200 }, (_, number) => makeCase(inputs, 1, number).name)
    expect(new Set(names).size).toBe(inputs.length)
  })
})

it('a fuzz campaign tells what hangs, takes too much memory or time, dies or throws, and goes on', async () => {
  const program = join(makeFolder(), 'child.mjs')
  writeFileSync(
    program,
    `const memory = 2 ** 26
     const spin = (ms) => { for (const end = Date.now() + ms; Date.now() < end; ); }
     process.on('message', ({ from, to }) => {
       for (let number = from; number < to; number++) {
         process.send({ kind: 'begin', number })
         if (number === 1) spin(1e9)
         if (number === 5) process.kill(process.pid, 'SIGKILL')
         process.send({
           kind: 'end', number, steps: ['open'], cpuMs: number === 7 ? 2500 : 1,
           memory: number === 3 ? 2 ** 30 : memory,
           failure: number === 9 ? 'TypeError: thrown' : undefined,
         })
       }
       process.send({ kind: 'idle', memory })
     })
     process.send({ kind: 'idle', memory })`,
  )
  const result = await runCampaign({ seed: 1, first: 0, count: 12, jobs: 2, program, wallMs: 1500 })
  expect(result.done).toBe(12)
  const failures = result.failures.toSorted((a, b) => a.number - b.number)
  expect(failures.map(({ number }) => number)).toEqual([1, 3, 5, 7, 9])
  expect(failures.map(({ reason }) => reason)).toEqual([
    expect.stringContaining('hangs'),
    expect.stringContaining('MiB of memory'),
    expect.stringContaining('SIGKILL'),
    'took 2500 ms of CPU time',
    'TypeError: thrown',
  ])
  expect(result.answers.get('open')).toBe(10)
})
