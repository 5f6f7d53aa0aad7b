// The log as dmesg shows it; not broken at the page's end, so that lines can be copied.

import { linePrefix, renderRecord } from '../../../kernel/dmesg.ts'
import type { KernelLog, LogRecord } from '../../../kernel/printk.ts'
import { printable } from '../../../printable.ts'
import { renderPlural } from '../../../units.ts'
import { indent, type Page } from '../page.ts'

export const logView = (answer: KernelLog, page: Page): string[] => [
  ...missing(answer).map((line) => `${indent}${page.style.yellow(line)}`),
  ...answer.records.flatMap((record) => recordLines(record, page)),
]

function missing({ overwritten, lost, unfinished, unreadable }: KernelLog): string[] {
  const lines: string[] = []
  if (overwritten) lines.push(`${renderPlural(overwritten, 'older record')} overwritten before the crash`)
  if (lost) lines.push(`${renderPlural(lost, 'record')} lost for want of room when printed`)
  if (unfinished) lines.push(`${renderPlural(unfinished, 'record')} begun that held nothing yet`)
  if (unreadable) lines.push(`${renderPlural(unreadable, 'record')} unreadable`)
  return lines
}

function recordLines(record: LogRecord, { style }: Page): string[] {
  const prefix = linePrefix(record)
  const colour = levelColour(record.level, style)
  const lines = renderRecord(record)
    .split('\n')
    .map((line) => style.dim(prefix) + colour(printable(line.slice(prefix.length))))
  return record.torn
    ? [...lines, `${indent}${style.yellow('(the record above was being written when the machine stopped)')}`]
    : lines
}

/** Errors and worse, warnings. */
function levelColour(level: number | undefined, style: Page['style']): (text: string) => string {
  if (level === undefined || level > 4) return (text) => text
  return level === 4 ? style.yellow : style.red
}
