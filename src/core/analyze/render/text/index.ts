// The report for people: a headline, then each section under its question, the log last.

import { isIncomplete, type Report } from '../../report.ts'
import { type Answers, type SectionName, sectionList } from '../../sections/index.ts'
import { indent, type Page, paragraph } from '../page.ts'
import { cpusView } from './cpus.ts'
import { dumpView } from './dump.ts'
import { logView } from './log.ts'
import { headline, machineView } from './machine.ts'
import { memoryView } from './memory.ts'
import { panicView } from './panic.ts'

type Views = { readonly [Name in SectionName]: (answer: Answers[Name], page: Page) => string[] }

/** To show a new section: a file here and a line in this list. */
const views: Views = {
  panic: panicView,
  machine: machineView,
  cpus: cpusView,
  memory: memoryView,
  dump: dumpView,
  log: logView,
}

/** No newline at the end. */
export function renderText(report: Report, page: Page): string {
  const blocks = sectionList
    .filter(({ name }) => report[name] !== undefined)
    .map(({ name, title }) => [page.style.bold(title), ...sectionLines(report, name, page)])
  // Remarks come before the log: who reads from the top sees them.
  const last = report.log === undefined ? blocks.length : blocks.length - 1
  const remarks = remarkLines(report, page)
  if (remarks.length > 0) blocks.splice(last, 0, remarks)
  if (report.machine) blocks.unshift([headline(report.machine, report.panic?.message, page)])
  return blocks.map((lines) => lines.join('\n')).join('\n\n')
}

function sectionLines(report: Report, name: SectionName, page: Page): string[] {
  const answer = report[name]
  if (answer !== null) return (views[name] as (answer: unknown, page: Page) => string[])(answer, page)
  const reason = report.diagnostics.find((diagnostic) => diagnostic.section === name)
  return paragraph(page, `cannot be told: ${reason?.message ?? 'no reason given'}`)
}

function remarkLines(report: Report, page: Page): string[] {
  const lines = new Set<string>()
  for (const { kind, message, hint } of report.diagnostics) {
    const [first = '', ...rest] = paragraph(page, hint === undefined ? message : `${message}; ${hint}`)
    const text = [first.slice(indent.length), ...rest].join(`\n${indent}`)
    lines.add(`${indent}${kind === 'missing' ? page.style.yellow('missing') : 'note'}: ${text}`)
  }
  if (lines.size === 0) return []
  return [page.style.bold(isIncomplete(report) ? 'What could not be read' : 'Remarks'), ...lines]
}
