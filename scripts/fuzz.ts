// `npm run fuzz`: damaged dumps by the hundred thousand. Every case follows from the seed and its number:
//   npm run fuzz -- --seed 7 --cases 5000 --jobs 2 --minutes 10
//   npm run fuzz -- --seed 7 --only 1234          one case again, in this process, to be debugged

import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { MiB } from '../src/core/address.ts'
import { type Failure, type Progress, runCampaign } from '../test/fuzz/campaign.ts'
import { exercise, steps } from '../test/fuzz/exercise.ts'
import { makeInputs } from '../test/fuzz/inputs.ts'
import { makeCase } from '../test/fuzz/mutate.ts'

Object.assign(globalThis, { FADUMP_VERSION: '' })

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    cases: { type: 'string', default: '100000' },
    jobs: { type: 'string', default: `${availableParallelism()}` },
    minutes: { type: 'string', default: '60' },
    only: { type: 'string' },
    output: { type: 'string', default: 'build/fuzz' },
  },
})
const seed = Number(values.seed)

/** The files of a case and what was done to them; returns the paths. */
function writeCase(number: number, reason?: string): readonly string[] {
  const folder = join(values.output, `${seed}-${number}`)
  mkdirSync(folder, { recursive: true })
  const { name, changes, files } = makeCase(makeInputs(), seed, number)
  const paths = files.map((_, i) => join(folder, `${i}`))
  for (const [i, bytes] of files.entries()) writeFileSync(paths[i] as string, bytes)
  const text = [name, ...changes, ...(reason === undefined ? [] : ['', reason])].join('\n')
  writeFileSync(join(folder, 'what.txt'), `${text}\n`)
  return paths
}

async function runOne(number: number): Promise<void> {
  const paths = writeCase(number)
  console.log(`seed ${seed}, case ${number}: ${paths.join(' ')}`)
  console.log(`answers: ${(await exercise(paths)).join(', ')}`)
}

function show({ done, failures, answers, slowest, memory }: Progress): void {
  const reached = steps.map((step) => `${step} ${answers.get(step) ?? 0}`).join(', ')
  console.log(
    `${done} cases, ${failures.length} failures; answers: ${reached}; ` +
      `slowest ${Math.round(slowest.cpuMs)} ms (case ${slowest.number}), memory ${Math.round(memory / MiB)} MiB`,
  )
}

function tell({ number, reason }: Failure): void {
  const [path] = writeCase(number, reason)
  const again = `npm run fuzz -- --seed ${seed} --only ${number}`
  console.log(`case ${number}: ${reason.split('\n', 2).join(' ')}\n  ${path}; ${again}`)
}

async function runAll(): Promise<void> {
  console.log(`seed ${seed}`)
  let shown = Date.now()
  let told = 0
  const result = await runCampaign({
    seed,
    first: 0,
    count: Number(values.cases),
    jobs: Number(values.jobs),
    timeMs: Number(values.minutes) * 60_000,
    onProgress: (progress) => {
      for (const failure of progress.failures.slice(told)) tell(failure)
      told = progress.failures.length
      if (Date.now() - shown < 10_000) return
      shown = Date.now()
      show(progress)
    },
  })
  show(result)
  if (result.failures.length > 0 || result.done < Number(values.cases)) process.exitCode = 1
}

if (values.only === undefined) await runAll()
else await runOne(Number(values.only))
