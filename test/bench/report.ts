// What the races showed, as tables of Markdown.

import { cpus, release } from 'node:os'
import { MiB } from '../../src/core/address.ts'
import { renderCount } from '../../src/core/units.ts'
import type { Growth } from './growth.ts'
import { median } from './measure.ts'
import type { Entry, Race } from './race.ts'

const columns = [
  'work',
  'program',
  'wall s',
  'least–most',
  'CPU s',
  'then to disk s',
  'RSS MiB',
  'output MB',
  'speed and output of fadump',
]

/** The machine and the circumstances of all figures. */
export function renderCircumstances(dump: string, runs: number): string {
  const processors = cpus()
  const model = processors[0]?.model.trim() ?? 'unknown processor'
  return (
    `${dump}. ${processors.length} × ${model}, Linux ${release()}, Node ${process.versions.node}; ` +
    `medians of ${runs}, the programs in turn, the dump in the page cache.`
  )
}

export function renderRaces(races: readonly Race[]): string {
  const head = [columns, columns.map(() => '---')]
  const rows = races.flatMap((one) => one.entries.map((entry) => cellsOf(one, entry)))
  const failures = races.flatMap(({ title, failures }) => failures.map((text) => `- \`${title}\`: ${text}`))
  return [
    renderRows([...head, ...rows]),
    '',
    renderComparison(races),
    ...(failures.length === 0 ? [] : ['', 'Not measured:', '', ...failures]),
  ].join('\n')
}

/** Pages in all; a race without a second dump compared nothing. */
function renderComparison(races: readonly Race[]): string {
  const compared = races.flatMap(({ samePages }) => samePages ?? [])
  if (compared.length === 0) return 'Never did two programs do the same work: nothing was compared.'
  const pages = compared.reduce((sum, count) => sum + count)
  return `Outputs compared page by page: ${compared.length} of ${races.length} pairs, ${renderCount(pages)} pages, all equal.`
}

function cellsOf({ title, entries }: Race, entry: Entry): string[] {
  const walls = entry.runs.map(({ wallMs }) => wallMs)
  const isFirst = entry === entries[0]
  return [
    isFirst ? `\`${title}\`` : '',
    entry.name,
    seconds(median(walls)),
    `${seconds(Math.min(...walls))}–${seconds(Math.max(...walls))}`,
    seconds(median(entry.runs.map(({ cpuMs }) => cpuMs))),
    seconds(median(entry.syncMs)),
    mebibytes(median(entry.runs.map(({ residentBytes }) => residentBytes))),
    (entry.outputBytes / 1e6).toFixed(1),
    isFirst ? renderRatios(entries) : '',
  ]
}

/** Of neighbouring runs: what slowed one, slowed the other. */
function renderRatios(entries: readonly Entry[]): string {
  const [ours, theirs] = entries
  if (ours?.name !== 'fadump' || theirs?.name !== 'makedumpfile') return ''
  const faster = median(ours.runs.map(({ wallMs }, i) => (theirs.runs[i]?.wallMs ?? Number.NaN) / wallMs))
  const larger = (ours.outputBytes / theirs.outputBytes - 1) * 100
  return `**${faster.toFixed(2)}×**, ${larger < 0 ? '−' : '+'}${Math.abs(larger).toFixed(1)} %`
}

export function renderGrowth(growth: Growth): string {
  const lines = [...growth]
  const sizes = lines[0]?.[1].map(({ gib }) => gib) ?? []
  const head = ['GiB', ...lines.flatMap(([name]) => [`${name}, s`, 'RSS MiB'])]
  const rows = sizes.map((gib, i) => [
    `${gib}`,
    ...lines.flatMap(([, points]) => {
      const point = points[i]
      return point === undefined ? ['', ''] : [seconds(point.wallMs), mebibytes(point.residentBytes)]
    }),
  ])
  return renderRows([head, head.map(() => '--:'), ...rows])
}

const renderRows = (rows: readonly (readonly string[])[]): string =>
  rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const mebibytes = (bytes: number): string => (bytes / MiB).toFixed(0)

const seconds = (ms: number): string => (ms / 1000).toFixed(ms < 10_000 ? 2 : 1)
