// What the first lines of the log say of the machine; gone when newer lines have overwritten them.
// Source: Linux init/main.c, mm/mm_init.c.

import { kernelLines } from './log-lines.ts'
import type { LogRecord } from './printk.ts'

export interface BootFacts {
  readonly commandLine: string | undefined
  /** RAM that the booting kernel was given, bytes. */
  readonly memory: number | undefined
}

const commandLinePrefix = 'Kernel command line: '
const memoryLine = /^Memory: \d{1,15}[kK]\/(\d{1,12})[kK] available/

export function readBootFacts(records: readonly LogRecord[]): BootFacts {
  // The command line alone may be longer than the lines that others look for.
  const commandLine = joinCommandLine(records.filter(isCommandLine).map(({ text }) => text))
  for (const { text } of kernelLines(records)) {
    const memory = memoryLine.exec(text)?.[1]
    if (memory !== undefined) return { commandLine, memory: Number(memory) * 1024 }
  }
  return { commandLine, memory: undefined }
}

const isCommandLine = ({ facility, text }: LogRecord): boolean =>
  (facility ?? 0) === 0 && text.startsWith(commandLinePrefix)

/** Linux 6.19 and later break a long command line at a space, ` \` at the end of all parts but the last. */
function joinCommandLine(lines: readonly string[]): string | undefined {
  const parts: string[] = []
  for (const line of lines) {
    const text = line.slice(commandLinePrefix.length)
    if (!text.endsWith(' \\')) return [...parts, text].join(' ')
    parts.push(text.slice(0, -2))
  }
  return parts.length > 0 ? parts.join(' ') : undefined
}
