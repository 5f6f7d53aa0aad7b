// Standard input as a file. A dump is read at random and by several threads, so a pipe is copied into a
// temporary file of mode 0600 that has no name any more when the copying starts: no crash of ours leaves
// somebody's memory behind.

import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileSource } from './byte-source.ts'
import { FormatError, messageOf, TargetError } from './errors.ts'

const name = 'standard input'

/** @throws {TargetError} no room for the copy. @throws {FormatError} it cannot be read. */
export function openStandardInput(input = 0): FileSource {
  if (fstatSync(input).isFile()) return new FileSource(pathOf(input), name)
  const spool = openUnnamed()
  try {
    copy(input, spool)
    return new FileSource(pathOf(spool), name)
  } finally {
    closeSync(spool)
  }
}

/** Opens the file behind a descriptor anew, whether or not it has a name. */
const pathOf = (descriptor: number): string => `/proc/self/fd/${descriptor}`

function openUnnamed(): number {
  const path = join(tmpdir(), `fadump-${randomBytes(8).toString('hex')}`)
  try {
    const descriptor = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return descriptor
  } catch (cause) {
    throw spoolFailure(cause)
  }
}

function copy(from: number, to: number): void {
  const buffer = new Uint8Array(2 ** 20)
  for (let got = read(from, buffer); got > 0; got = read(from, buffer)) {
    try {
      for (let done = 0; done < got; ) done += writeSync(to, buffer, done, got - done)
    } catch (cause) {
      throw spoolFailure(cause)
    }
  }
}

/** Up to the buffer's length, 0 at the end. Waits for data: a pipe may have been made non-blocking by the process at its other end. */
function read(descriptor: number, buffer: Uint8Array): number {
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (;;) {
    try {
      return readSync(descriptor, buffer)
    } catch (error) {
      if ((error as { code?: string }).code !== 'EAGAIN') throw readFailure(error)
      Atomics.wait(pause, 0, 0, 5)
    }
  }
}

const readFailure = (cause: unknown): FormatError =>
  new FormatError({ file: name, field: 'cannot be read', found: messageOf(cause), cause })

function spoolFailure(cause: unknown): TargetError {
  return new TargetError(tmpdir(), `no copy of standard input can be made: ${messageOf(cause)}`, {
    hint: 'set TMPDIR to a directory with room for the whole dump',
    cause,
  })
}
