// Why the kernel died, from its log alone. The last lines before the crash, the episode, are compared
// with a table; the earliest that can have killed the machine is the cause, the panic line only its
// consequence.

import { type CauseClass, causeTable, panicLine, type Weight } from './cause-table.ts'
import { kernelLines, type LogLine } from './log-lines.ts'
import { type OopsFacts, parseOops } from './oops.ts'
import type { LogRecord } from './printk.ts'

export interface CauseEvent {
  readonly class: CauseClass
  readonly weight: Weight
  /** The line was `Kernel panic - not syncing: …`. */
  readonly isPanic: boolean
  readonly seq: number
  readonly timeUs: number
  /** The line as printed. */
  readonly text: string
  /** What the wording names: address, comm, pid, cpu, seconds, file, line, … */
  readonly details: Readonly<Record<string, string>>
}

export interface CrashCause {
  /** The line that says most: panic, else fault, else `kernel BUG at`, else `Oops:`. */
  readonly message: string | undefined
  readonly cause: CauseEvent | undefined
  /** All lines of the episode that the table knows, oldest first. */
  readonly events: readonly CauseEvent[]
  /** What was printed with the cause; undefined without one. */
  readonly facts: OopsFacts | undefined
  /** An oops that the machine survived came before this one. */
  readonly hadEarlierOops: boolean
}

const episodeUs = 120e6
/** How far before the episode an oops block may have begun, lines. */
const maxStraddle = 256
const maxEvents = 200

/** Everything about the crash that the log tells. Never throws: an empty log has no cause. */
export function findCause(records: readonly LogRecord[]): CrashCause {
  const all = kernelLines(records)
  const recent = all.slice(episodeStart(all))
  const episode = recent.some((line) => classifyLine(line) !== undefined) ? recent : all
  const events: CauseEvent[] = []
  for (const line of episode) {
    const event = classifyLine(line)
    if (event !== undefined) events.push(event)
  }
  const cause = chooseCause(events)
  const start =
    cause === undefined ? -1 : episode.findIndex((l) => l.seq === cause.seq && l.text === cause.text)
  const facts = start < 0 ? undefined : parseOops(episode, start)
  return {
    message: chooseMessage(events, episode),
    cause,
    events: events.length > maxEvents ? events.slice(-maxEvents) : events,
    facts,
    hadEarlierOops:
      facts !== undefined && ((facts.oopsCount ?? 1) > 1 || facts.taint?.includes('D') === true),
  }
}

/** What a line of the log says of a crash; undefined when nothing. */
export function classifyLine(line: LogLine): CauseEvent | undefined {
  const reason = panicLine.exec(line.text)?.[1]
  for (const row of causeTable) {
    const patterns = reason === undefined ? row.lines : row.panics
    for (const pattern of patterns ?? []) {
      const match = pattern.exec(reason ?? line.text)
      if (match !== null) return makeEvent(line, row.class, row.weight, reason !== undefined, match.groups)
    }
  }
  return reason === undefined ? undefined : makeEvent(line, 'explicit', 'warning', true, undefined)
}

function makeEvent(
  { seq, timeUs, text }: LogLine,
  name: CauseClass,
  weight: Weight,
  isPanic: boolean,
  groups: Record<string, string | undefined> | undefined,
): CauseEvent {
  const named = Object.entries(groups ?? {}).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return { class: name, weight, isPanic, seq, timeUs, text, details: Object.fromEntries(named) }
}

/** Index of the first line of the last two minutes, or of an oops block that began before and goes on. */
function episodeStart(lines: readonly LogLine[]): number {
  const newest = lines.reduce((time, line) => Math.max(time, line.timeUs), 0)
  const start = Math.max(
    0,
    lines.findIndex((line) => line.timeUs >= newest - episodeUs),
  )
  for (let i = start - 1; i >= Math.max(0, start - maxStraddle); i--) {
    const line = lines[i] as LogLine
    if (line.text.startsWith('---[ end ')) break
    if (line.text.includes('[ cut here ]') || classifyLine(line)?.weight === 'fault') return i
  }
  return start
}

/**
 * A crash that was asked for is its own cause. Otherwise it is the earliest line that was fatal by
 * itself or of the class that the panic names; a panic with any other text stands for itself.
 */
function chooseCause(events: readonly CauseEvent[]): CauseEvent | undefined {
  const named = events.find((event) => event.isPanic)?.class
  if (named === 'sysrq') return events.find((event) => event.class === named)
  return events.find((event) => event.weight !== 'warning' || event.class === named)
}

function chooseMessage(events: readonly CauseEvent[], lines: readonly LogLine[]): string | undefined {
  const found =
    events.find((event) => event.isPanic) ??
    events.find((event) => event.weight === 'fault') ??
    events.find((event) => event.weight === 'bug') ??
    lines.find((line) => /^(Internal error: )?Oops\b/.test(line.text))
  return found?.text
}
