import { printableLine } from '../../../printable.ts'
import { renderDuration, renderSize } from '../../../units.ts'
import type { MachineAnswer } from '../../sections/machine.ts'
import { type Page, pairLines } from '../page.ts'

export function machineView(answer: MachineAnswer, page: Page): string[] {
  const { crashTime, uptime, memory } = answer
  return pairLines(page, [
    ['host', answer.nodename],
    ['kernel', answer.release],
    ['version', answer.version],
    ['machine', answer.machine],
    ['build id', answer.buildId],
    ['crashed', crashTime && `${renderTime(crashTime.value)} (${crashTime.source})`],
    ['uptime', uptime && `${renderDuration(uptime.value)} (${uptime.source})`],
    ['command line', answer.commandLine?.value],
    ['memory', `${renderSize(memory.value)} (${memory.source})`],
  ])
}

/** The report in a sentence: what died, when, and its last words. */
export function headline(answer: MachineAnswer, message: string | undefined, page: Page): string {
  const { release, nodename, machine, crashTime, uptime } = answer
  const what = `Linux ${release ?? 'of unknown release'}${machine === undefined ? '' : ` (${machine})`}`
  const times = [
    nodename === undefined ? what : `${what} on ${nodename}`,
    crashTime && renderTime(crashTime.value),
    // A machine that lives has gone on since its last message.
    message && uptime && `${renderDuration(uptime.value)} after boot`,
  ]
  const head = page.style.bold(printableLine(times.filter(Boolean).join(', ')))
  return message === undefined ? head : `${head}\n${page.style.red(printableLine(message))}`
}

/** `2026-11-23 14:32:58 UTC`; a damaged number stays one. */
function renderTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return `${seconds} s after 1970`
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
