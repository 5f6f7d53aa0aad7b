// Log records from console text, `[    2.477896][    T1] text`; lines without a time are not the kernel's.

import type { LogRecord } from '../../src/core/kernel/printk.ts'

export function parseConsole(text: string): LogRecord[] {
  const records: LogRecord[] = []
  for (const line of text.split('\n')) {
    const match = /^\[ *(\d+)\.(\d{6})\](?:\[ *([TC]\d+)\])? (.*)$/.exec(line)
    if (match === null) continue
    const [, seconds, micros, caller, rest] = match
    const timeUs = Number(seconds) * 1e6 + Number(micros)
    records.push({ seq: records.length, timeUs, level: 6, facility: 0, caller, text: rest as string })
  }
  return records
}

/** Records one millisecond apart from `startUs` on. */
export const makeRecords = (lines: readonly string[], startUs = 0): LogRecord[] =>
  lines.map((text, seq) => ({
    seq,
    timeUs: startUs + seq * 1000,
    level: 4,
    facility: 0,
    caller: undefined,
    text,
  }))
