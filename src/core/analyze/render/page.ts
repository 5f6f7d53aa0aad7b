// What a text report is laid out on: columns and styles, and lines that fit. Guest text becomes
// printable here, before it is styled, so that nothing of a dump reaches a terminal raw.

import { printableLine } from '../../printable.ts'

/** Chalk fits; `plain` is for files. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

export interface Page {
  readonly columns: number
  readonly style: Style
}

const same = (text: string): string => text
export const plain: Style = { bold: same, dim: same, red: same, yellow: same, cyan: same }

export const indent = '  '

/** Label and value; without a value there is no line. */
export type Pair = readonly [label: string, value: string | undefined]

/** `label  value` lines, values one under the other and broken at spaces where the page ends. */
export function pairLines(page: Page, pairs: readonly Pair[]): string[] {
  const shown = pairs.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)
  const labelWidth = Math.max(0, ...shown.map(([label]) => label.length))
  const margin = indent.length + labelWidth + 2
  return shown.flatMap(([label, value]) =>
    wrap(printableLine(value), page.columns - margin).map((line, i) => {
      const head = i === 0 ? page.style.dim(label.padEnd(labelWidth)) : ' '.repeat(labelWidth)
      return `${indent}${head}  ${line}`.trimEnd()
    }),
  )
}

/** A paragraph of our own words or of a guest's. */
export const paragraph = (page: Page, text: string): string[] =>
  wrap(printableLine(text), page.columns - indent.length).map((line) => indent + line)

/** Lines of at most `width` characters where spaces allow it; a longer word stays whole, to be copied. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Cells side by side, as many as fit. */
export function cellLines(page: Page, cells: readonly string[]): string[] {
  const width = Math.max(1, ...cells.map((cell) => cell.length)) + 2
  const perLine = Math.max(1, Math.floor((page.columns - indent.length + 2) / width))
  const lines: string[] = []
  for (let i = 0; i < cells.length; i += perLine) {
    const row = cells.slice(i, i + perLine).map((cell) => cell.padEnd(width))
    lines.push((indent + row.join('')).trimEnd())
  }
  return lines
}
