// Errors as text: one line what and where, then labelled details, then what to do next.

import { hex } from '../core/address.ts'
import { type DumpError, FaultError, messageOf } from '../core/errors.ts'
import { printable, printableJson } from '../core/printable.ts'

/**
 *     error: vmcore.1: kdump sub-header, noteOffset at byte 0x1030
 *       expected  an offset inside the file
 *       found     0x7fffffffffff
 *       hint      the copy may be cut short
 */
export function renderError(error: DumpError, options: { readonly withCauses?: boolean } = {}): string {
  const lines = [`error: ${printable(error.message)}`]
  const add = (label: string, text: string): void => {
    lines.push(`  ${label.padEnd(9)} ${printable(text)}`)
  }
  for (const [label, text] of error.details()) add(label, text)
  if (error.hint !== undefined) add('hint', error.hint)
  for (const text of options.withCauses === true ? causesOf(error) : []) {
    if (!lines.some((line) => line.includes(printable(text)))) add('because', text)
  }
  return lines.join('\n')
}

/** What lay behind an error, the nearest first. */
function causesOf({ cause }: Error): string[] {
  if (cause === undefined) return []
  return [messageOf(cause), ...(cause instanceof Error ? causesOf(cause) : [])]
}

/**
 * As text, but for programs: `{ "error": { "code": "FORMAT", "exitCode": 3, "message": …, "file": … } }`,
 * all fields of the error's class.
 */
export function renderErrorJson(error: DumpError): string {
  const { name: _, ...fields } = error
  const address = error instanceof FaultError ? { address: hex(error.address) } : {}
  return printableJson({ error: { ...fields, ...address, message: error.message } })
}

/** What is not a DumpError is our bug: the stack, and where to send it. */
export function renderBug(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return `error: this is a bug in fadump, please report it with the lines below\n${printable(stack)}`
}
