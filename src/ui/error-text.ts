// Errors as text: one line what and where, then labelled details, then what to do next.

import type { DumpError } from '../core/errors.ts'
import { printable, printableJson } from '../core/printable.ts'

/**
 *     error: vmcore.1: kdump sub-header, noteOffset at byte 0x1030
 *       expected  an offset inside the file
 *       found     0x7fffffffffff
 *       hint      the copy may be cut short
 */
export function renderError(error: DumpError): string {
  const lines = [`error: ${printable(error.message)}`]
  const details =
    error.hint === undefined ? error.details() : [...error.details(), ['hint', error.hint] as const]
  for (const [label, text] of details) lines.push(`  ${label.padEnd(9)} ${printable(text)}`)
  return lines.join('\n')
}

/**
 * As text, but for programs: `{ "error": { "code": "FORMAT", "exitCode": 3, "message": …, "file": … } }`,
 * all fields of the error's class.
 */
export function renderErrorJson(error: DumpError): string {
  const { name: _, ...fields } = error
  return printableJson({ error: { ...fields, message: error.message } })
}

/** What is not a DumpError is our bug: the stack, and where to send it. */
export function renderBug(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `error: this is a bug in fadump, please report it with the lines below\n${printable(stack)}`
}
