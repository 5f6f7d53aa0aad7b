// Everything that can go wrong, as values: a stable code, an exit code, fields a program can read
// and a hint for a person. What is thrown and is not a DumpError is a bug of ours (exit 1).

import { hex } from './address.ts'

/** Exit codes of the program; documented in fadump(8). */
export const exitCodes = {
  done: 0,
  bug: 1,
  usage: 2,
  input: 3,
  refused: 4,
  target: 5,
  incomplete: 6,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export interface ErrorOptions {
  /** What the user should do next. Left out when there is nothing to say. */
  readonly hint?: string
  readonly cause?: unknown
}

export abstract class DumpError extends Error {
  /** Stable, for scripts: `FORMAT`, `FAULT`, … */
  abstract readonly code: string
  abstract readonly exitCode: ExitCode
  readonly hint: string | undefined

  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.hint = options.hint
  }

  /** Lines under the message as [label, text], in the order they are shown. */
  details(): readonly (readonly [string, string])[] {
    return []
  }
}

export interface FormatProblem extends ErrorOptions {
  readonly file: string
  /** Byte in the file where the wrong thing stands. */
  readonly offset?: number
  /** What is wrong there: `kdump sub-header, noteOffset`. */
  readonly field: string
  readonly expected?: string
  readonly found?: string
}

/** A file is not what it claims to be, or is damaged. */
export class FormatError extends DumpError {
  readonly code = 'FORMAT'
  readonly exitCode = exitCodes.input
  readonly file: string
  readonly offset: number | undefined
  readonly field: string
  readonly expected: string | undefined
  readonly found: string | undefined

  constructor(problem: FormatProblem) {
    const where = problem.offset === undefined ? '' : ` at byte ${hex(problem.offset)}`
    super(`${problem.file}: ${problem.field}${where}`, problem)
    this.file = problem.file
    this.offset = problem.offset
    this.field = problem.field
    this.expected = problem.expected
    this.found = problem.found
  }

  override details(): readonly (readonly [string, string])[] {
    const lines: [string, string][] = []
    if (this.expected !== undefined) lines.push(['expected', this.expected])
    if (this.found !== undefined) lines.push(['found', this.found])
    return lines
  }
}

/**
 * hole: there was no memory at that address · excluded: a filter left the page out · truncated: the
 * file ends too early or the page cannot be decoded · unmapped: no translation for a virtual address
 */
export type FaultReason = 'hole' | 'excluded' | 'truncated' | 'unmapped'

/** Memory that cannot be had. Views catch it and say what they could not read. */
export class FaultError extends DumpError {
  readonly code = 'FAULT'
  readonly exitCode = exitCodes.input
  readonly space: 'physical' | 'virtual'
  readonly address: number | bigint
  readonly length: number
  readonly reason: FaultReason

  constructor(
    space: 'physical' | 'virtual',
    address: number | bigint,
    length: number,
    reason: FaultReason,
    options: ErrorOptions = {},
  ) {
    super(`${space} memory at ${hex(address)}, ${length} bytes: ${faultReasons[reason]}`, options)
    this.space = space
    this.address = address
    this.length = length
    this.reason = reason
  }
}

const faultReasons: Record<FaultReason, string> = {
  hole: 'no memory there',
  excluded: 'page was left out of the dump',
  truncated: 'the dump is cut short or damaged there',
  unmapped: 'no page table entry',
}

/** The dumped kernel lacks something a view needs (symbol, type, VMCOREINFO key) or is one we do not know. */
export class KernelError extends DumpError {
  readonly code = 'KERNEL'
  readonly exitCode = exitCodes.input
}

export interface Refusal extends ErrorOptions {
  /** The kernel's name for it: `EINVAL`. */
  readonly errno?: string
  /** Firmware's return code. */
  readonly status?: number
  /** What the kernel printed on the way. */
  readonly printed?: readonly string[]
}

/** Firmware or kernel said no. */
export class RefusedError extends DumpError {
  readonly code = 'REFUSED'
  readonly exitCode = exitCodes.refused
  readonly errno: string | undefined
  readonly status: number | undefined
  readonly printed: readonly string[]

  constructor(message: string, options: Refusal = {}) {
    super(message, options)
    this.errno = options.errno
    this.status = options.status
    this.printed = options.printed ?? []
  }

  override details(): readonly (readonly [string, string])[] {
    return this.printed.map((line) => ['printed', line] as const)
  }
}

/** The destination failed: disk full, not writable, exists already. */
export class TargetError extends DumpError {
  readonly code: string = 'TARGET'
  readonly exitCode = exitCodes.target
  readonly target: string
  /** What went wrong, without the target's name. */
  readonly reason: string

  constructor(target: string, reason: string, options: ErrorOptions = {}) {
    super(`${target}: ${reason}`, options)
    this.target = target
    this.reason = reason
  }
}

/** The destination is full: the disk, a quota, or the size that was asked for. */
export class NoSpaceError extends TargetError {
  override readonly code = 'NO_SPACE'
  /** Bytes of the failed write that were written. */
  readonly written: number

  constructor(target: string, reason: string, written: number, options: ErrorOptions = {}) {
    super(target, reason, options)
    this.written = written
  }
}

/** The command line makes no sense. */
export class UsageError extends DumpError {
  readonly code = 'USAGE'
  readonly exitCode = exitCodes.usage
}

/** SIGINT or SIGTERM arrived; temporary files are gone. */
export class InterruptedError extends DumpError {
  readonly code = 'INTERRUPTED'
  readonly exitCode = exitCodes.interrupted

  constructor() {
    super('interrupted')
  }
}

/** What a caught value says. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)

/** What `read` gives, undefined when the dump does not have it: for facts that one can do without. */
export function tryRead<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof DumpError) return undefined
    throw error
  }
}

/** Damage that did not stop the work. Collected in results, counted, shown; `--strict` turns it into an error. */
export interface Warning {
  readonly code: string
  readonly message: string
}

/** A stream that took not everything, as a TargetError. */
export function streamFailure(name: string, cause: Error & { code?: string }): TargetError {
  if (cause instanceof TargetError) return cause
  if (cause.code === 'EPIPE') {
    return new TargetError(name, 'the program that reads it has ended', { cause })
  }
  return new TargetError(name, cause.message, { cause })
}
