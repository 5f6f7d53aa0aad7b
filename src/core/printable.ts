// A dump's text is a guest's: it may hold terminal escapes. Nothing of it reaches a terminal raw.

import { hex } from './address.ts'

/**
 * Text safe to print: control characters (C0 but newline and tab, DEL, C1) and Unicode's direction
 * overrides and line separators become `\xNN` or `\u{NNNN}`.
 */
export function printable(text: string): string {
  return text.replace(unsafe, (c) => {
    const code = c.charCodeAt(0)
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

const unsafe = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** As printable, on one line: newlines and tabs are escaped too. */
export const printableLine = (text: string): string =>
  printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')

/** A value as JSON that is safe to print and means the same; bigints, which JSON lacks, become `0x…`. */
export function printableJson(value: unknown): string {
  const text = JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? hex(item) : item), 2)
  return text.replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
