// `npm run bench`: fadump filter against another makedumpfile, on a dump made for it or on a given one.
//   npm run bench -- --rival /usr/bin/makedumpfile              all cases, medians of 5
//   npm run bench -- --rival … --dump vmcore --cases lzo,zlib   cases whose name has one of these words
//   npm run bench -- --rival … --growth 1,2,4,8,16,32,64        time and memory by size of the dump, GiB
// With --record the tables go into docs/performance.md and the diagram into docs/performance.svg.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseSize } from '../src/commands/options.ts'
import { renderSize } from '../src/core/units.ts'
import { type BenchCase, benchCases, caseName } from '../test/bench/cases.ts'
import { measureGrowth } from '../test/bench/growth.ts'
import { makeBenchDump } from '../test/bench/make-dump.ts'
import { renderPlot } from '../test/bench/plot.ts'
import { type Race, race } from '../test/bench/race.ts'
import { renderCircumstances, renderGrowth, renderRaces } from '../test/bench/report.ts'
import unpackFixtures from '../test/fixtures/setup.ts'

const { values } = parseArgs({
  options: {
    rival: { type: 'string' },
    dump: { type: 'string' },
    memory: { type: 'string', default: '6G' },
    cases: { type: 'string' },
    growth: { type: 'string' },
    runs: { type: 'string', default: '5' },
    folder: { type: 'string', default: 'build/bench' },
    record: { type: 'boolean', default: false },
  },
})
const { rival, folder } = values
const runs = Number(values.runs)
const docs = join(import.meta.dirname, '../docs')

mkdirSync(folder, { recursive: true })
await unpackFixtures()
if (values.growth === undefined) raceAll()
else grow(values.growth.split(',').map(Number))

function raceAll(): void {
  const given = values.dump
  const source = given ?? join(folder, 'bench.elf')
  if (given === undefined) makeBenchDump(source, { bytes: parseSize(values.memory) })
  try {
    const dump = `${given === undefined ? 'Made dump' : basename(given)} of ${renderSize(statSync(source).size)}`
    const races = benchCases.filter(isWanted).map((one) => tryRace(one, source))
    const place = given === undefined ? 'made dump' : 'given dump'
    publish(place, `${renderCircumstances(dump, runs)}\n\n${renderRaces(races)}`)
  } finally {
    if (given === undefined) rmSync(source, { force: true })
  }
}

function tryRace(one: BenchCase, source: string): Race {
  console.error(caseName(one))
  try {
    const done = race(one, { source, rival, runs, folder })
    // Told at once: all of them take many minutes.
    console.error(renderRaces([done]))
    return done
  } catch (error) {
    process.exitCode = 1
    return { title: caseName(one), entries: [], samePages: undefined, failures: [(error as Error).message] }
  }
}

function isWanted(one: BenchCase): boolean {
  const words = values.cases?.split(',')
  return words === undefined || words.some((word) => caseName(one).includes(word))
}

function grow(sizes: readonly number[]): void {
  const wanted = { level: 31, codec: 'lzo' } as const
  const growth = measureGrowth(wanted, sizes, { rival, runs, folder })
  const title = `${caseName(wanted)} of made dumps of ${sizes.join(', ')} GiB, medians of ${runs}`
  publish('growth', `${title}:\n\n${renderGrowth(growth)}`)
  if (values.record) writeFileSync(join(docs, 'performance.svg'), renderPlot(growth, title))
}

/** Prints; with --record also replaces the lines between `<!-- bench NAME -->` and `<!-- end -->`. */
function publish(name: string, markdown: string): void {
  console.log(markdown)
  if (!values.record) return
  const path = join(docs, 'performance.md')
  const text = readFileSync(path, 'utf8')
  const place = new RegExp(`(<!-- bench ${name} -->\n)[\\s\\S]*?(<!-- end -->)`)
  if (!place.test(text)) throw new Error(`${path} has no place for ${name}`)
  writeFileSync(
    path,
    text.replace(place, (_, start, end) => `${start}${markdown}\n${end}`),
  )
}
