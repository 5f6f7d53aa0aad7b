// Log records as text. Programs differ in what they do with the later lines of a record and with bytes
// that do not print; a style says which. Raw text: whoever shows it on a terminal escapes it.

import { type LogRecord, textBytes } from './printk.ts'

export interface DmesgStyle {
  /** Put at the start of a record's second and later lines, given the first line's prefix. */
  readonly continuation: (prefix: string) => string
  /** Bytes of a record that are not ASCII text as `\xNN`. */
  readonly escape: boolean
  /** How it is printed who wrote a record (CONFIG_PRINTK_CALLER), behind the time; undefined when it is not. */
  readonly caller?: (name: string) => string
}

/** As `dmesg` and the console print it: every line has the time. Source: Linux record_print_text. */
export const kernelStyle: DmesgStyle = { continuation: (prefix) => prefix, escape: false }

/** As the console prints it when the kernel was built with CONFIG_PRINTK_CALLER. */
export const callerStyle: DmesgStyle = { ...kernelStyle, caller: (name) => `[${name.padStart(6)}]` }

/**
 * As `makedumpfile --dump-dmesg` since 1.7.5: later lines are indented. (It prints bytes from 0x80 on as the
 * negative number `\xffffffc3`; we print `\xc3`.) Source: makedumpfile printk.c.
 */
export const makedumpfileStyle: DmesgStyle = {
  continuation: (prefix) => ' '.repeat(prefix.length),
  escape: true,
  caller: (name) => ` [${name.padStart(8)}]`,
}

/** `[   12.844228] `, and `[   12.844228][    T1] ` with the caller. Times are truncated, not rounded. */
export function linePrefix(
  record: Pick<LogRecord, 'timeUs' | 'caller'>,
  style: DmesgStyle = kernelStyle,
): string {
  const seconds = String(Math.floor(record.timeUs / 1e6)).padStart(5)
  const micros = String(record.timeUs % 1e6).padStart(6, '0')
  const caller = record.caller === undefined ? undefined : style.caller?.(record.caller)
  return `[${seconds}.${micros}]${caller ?? ''} `
}

/** All lines of a record, without the last newline. */
export function renderRecord(record: LogRecord, style: DmesgStyle = kernelStyle): string {
  const prefix = linePrefix(record, style)
  const text = style.escape ? escapeBytes(textBytes(record)) : record.text
  return prefix + text.replaceAll('\n', `\n${style.continuation(prefix)}`)
}

/** The log, a newline after every line. */
export const renderDmesg = (records: Iterable<LogRecord>, style: DmesgStyle = kernelStyle): string =>
  Array.from(records, (record) => `${renderRecord(record, style)}\n`).join('')

const escapeBytes = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^\t-\r\x20-\x7e]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
