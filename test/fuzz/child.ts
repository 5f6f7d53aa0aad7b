// A process that does cases: when one hangs, eats all memory or crashes it, the others go on elsewhere.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Chunk, Report } from './campaign.ts'
import { exercise } from './exercise.ts'
import { makeInputs } from './inputs.ts'
import { makeCase } from './mutate.ts'

const inputs = makeInputs()
const folder = mkdtempSync(join(tmpdir(), 'fadump-fuzz-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
process.on('disconnect', () => process.exit())

const send = (report: Report): void => {
  process.send?.(report)
}

process.on('message', async ({ seed, from, to }: Chunk) => {
  for (let number = from; number < to; number++) {
    const { files } = makeCase(inputs, seed, number)
    const paths = files.map((bytes, i) => {
      const path = join(folder, `${i}`)
      writeFileSync(path, bytes)
      return path
    })
    send({ kind: 'begin', number })
    const before = process.cpuUsage()
    let failure: string | undefined
    const steps = await exercise(paths).catch((error: unknown) => {
      failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return []
    })
    const { user, system } = process.cpuUsage(before)
    const memory = process.resourceUsage().maxRSS * 1024
    send({ kind: 'end', number, steps, failure, cpuMs: (user + system) / 1000, memory })
  }
  send({ kind: 'idle', memory: process.resourceUsage().maxRSS * 1024 })
})

await exercise([])
send({ kind: 'idle', memory: process.resourceUsage().maxRSS * 1024 })
