import { causeNames } from '../../../kernel/cause-table.ts'
import { linePrefix } from '../../../kernel/dmesg.ts'
import { printableLine } from '../../../printable.ts'
import type { PanicAnswer } from '../../sections/panic.ts'
import { indent, type Page, pairLines } from '../page.ts'

export function panicView(answer: PanicAnswer, page: Page): string[] {
  const { cause, cpu, task } = answer
  const where = [
    cpu && `CPU ${cpu.value} (${cpu.confidence}, from the ${cpu.source})`,
    task && `task ${task.comm}, process ${task.pid}`,
  ].filter((part) => part !== undefined)
  const lines = pairLines(page, [
    ['message', answer.message ?? 'no panic, no oops'],
    ['cause', cause && causeNames[cause.class]],
    ['', cause && cause.text !== answer.message ? `${stamp(cause.timeUs)}${cause.text}` : undefined],
    ['where', where.length > 0 ? where.join(', ') : undefined],
    ['instruction', answer.instruction],
    ['taint', answer.taint && taintText(answer.taint)],
    ['hardware', answer.hardware],
    ['modules', answer.modules.length > 0 ? answer.modules.join(' ') : undefined],
    ['before', answer.hadEarlierOops ? 'the kernel had an oops before this one: see the log' : undefined],
  ])
  return [...lines, ...trace(answer, page), ...otherEvents(answer, page)]
}

const stamp = (timeUs: number): string => linePrefix({ timeUs, caller: undefined })

const taintText = (taint: NonNullable<PanicAnswer['taint']>): string =>
  taint.length === 0 ? 'none' : taint.map(({ flag, meaning }) => `${flag} (${meaning})`).join(', ')

function trace({ callTrace }: PanicAnswer, page: Page): string[] {
  if (callTrace.length === 0) return []
  return [
    '',
    `${indent}${page.style.dim('call trace, as the kernel printed it')}`,
    ...callTrace.map((line) => `${indent}${indent}${printableLine(line)}`),
  ]
}

/** What else went wrong shortly before; the cause and the message stand above. */
function otherEvents({ events, cause, message }: PanicAnswer, page: Page): string[] {
  const others = events.filter((event) => event.text !== cause?.text && event.text !== message)
  if (others.length === 0) return []
  const lines = others.map((event) => `${indent}${indent}${stamp(event.timeUs)}${printableLine(event.text)}`)
  return ['', `${indent}${page.style.dim('also in the log')}`, ...lines]
}
