// The kernel's own lines of the log, for those who look for wording: records cut at newlines, long
// lines cut off. What user space wrote through /dev/kmsg is left out: it proves nothing.

import type { LogRecord } from './printk.ts'

export interface LogLine {
  readonly seq: number
  readonly timeUs: number
  readonly caller: string | undefined
  readonly text: string
}

/** No line that we look for is longer; keeps the time of a regular expression bounded. */
const maxLineLength = 1024

export const kernelLines = (records: readonly LogRecord[]): LogLine[] =>
  records
    .filter((record) => record.facility === undefined || record.facility === 0)
    .flatMap(({ seq, timeUs, caller, text }) =>
      text.split('\n').map((line) => ({ seq, timeUs, caller, text: line.slice(0, maxLineLength) })),
    )
