// Two diagrams beside each other as SVG: wall time and resident memory over the size of the dump.

import { MiB } from '../../src/core/address.ts'
import type { Growth, Point } from './growth.ts'

interface Panel {
  readonly title: string
  readonly value: (point: Point) => number
}

const panels: readonly Panel[] = [
  { title: 'wall time, s', value: ({ wallMs }) => wallMs / 1000 },
  { title: 'most resident memory, MiB', value: ({ residentBytes }) => residentBytes / MiB },
]

const colors = ['#1f6feb', '#b35900', '#57606a']
const panelWidth = 400
/** Of the area with the lines, within a panel. */
const area = { left: 52, top: 40, width: 328, height: 220 }
const height = area.top + area.height + 70

export function renderPlot(growth: Growth, title: string): string {
  const lines = [...growth]
  const drawn = panels.map(
    (panel, i) => `<g transform="translate(${i * panelWidth} 0)">\n${renderPanel(panel, lines)}\n</g>`,
  )
  const legend = lines.map(([name], i) => {
    const x = area.left + i * 130
    const y = height - 14
    return `<circle cx="${x}" cy="${y - 4}" r="4" fill="${colors[i]}"/><text x="${x + 10}" y="${y}">${name}</text>`
  })
  const width = panels.length * panelWidth
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${title}</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${[...drawn, ...legend].join('\n')}
</svg>
`
}

function renderPanel(
  { title, value }: Panel,
  lines: readonly (readonly [string, readonly Point[]])[],
): string {
  const points = lines.flatMap(([, line]) => line)
  const xTicks = ticks(Math.max(...points.map(({ gib }) => gib)))
  const yTicks = ticks(Math.max(...points.map(value)))
  const x = (gib: number): string => (area.left + (gib / (xTicks.at(-1) as number)) * area.width).toFixed(1)
  const y = (at: number): string =>
    (area.top + area.height - (at / (yTicks.at(-1) as number)) * area.height).toFixed(1)
  const [left, right] = [area.left, area.left + area.width]
  const bottom = area.top + area.height
  return [
    `<text x="${left}" y="24" font-weight="bold">${title}</text>`,
    ...yTicks.map(
      (tick) =>
        `<path d="M${left} ${y(tick)}H${right}" stroke="#d0d7de"/><text x="${left - 6}" y="${y(tick)}" dy="4" text-anchor="end">${tick}</text>`,
    ),
    ...xTicks.map((tick) => `<text x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${tick}</text>`),
    `<text x="${(left + right) / 2}" y="${bottom + 34}" text-anchor="middle">memory of the machine, GiB</text>`,
    ...lines.map(([name, line], i) => {
      const places = line.map((point) => `${x(point.gib)},${y(value(point))}`)
      const dots = places.map((place) => `<circle cx="${place.replace(',', '" cy="')}" r="3"/>`).join('')
      return `<g fill="${colors[i]}" stroke="${colors[i]}"><title>${name}</title><polyline points="${places.join(' ')}" fill="none" stroke-width="1.5"/>${dots}</g>`
    }),
  ].join('\n')
}

/** Four to eight round numbers from 0 to at least `most`. */
function ticks(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(most / 4))
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((size) => most / size <= 8) as number
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, i) => Number((i * step).toPrecision(6)))
}
