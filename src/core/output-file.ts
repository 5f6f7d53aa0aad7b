// A file that is either whole or not there. Written as `.NAME.incomplete` beside its final name with
// mode 0600, fsynced, then renamed; a failure or an interrupt removes the temporary file. An existing
// file is replaced only when asked to.

import {
  closeSync,
  existsSync,
  fdatasync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { constants } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { KiB, MiB } from './address.ts'
import type { ByteSink } from './byte-sink.ts'
import { messageOf, NoSpaceError, TargetError } from './errors.ts'

export interface OutputOptions {
  /** Replace a file that is there already. */
  readonly force?: boolean
  /** Bytes that it may have at most. */
  readonly sizeLimit?: number | undefined
  /** Files that it is made of: often the only copy of a dump, so that not even `force` replaces them. */
  readonly sources?: readonly string[] | undefined
}

export class OutputFile implements Disposable {
  readonly path: string
  readonly temporaryPath: string
  readonly #force: boolean
  readonly #sizeLimit: number
  readonly #fd: number
  #state: 'open' | 'closed' | 'renamed' = 'open'
  #size = 0

  /** @throws {TargetError} when the file exists and `force` is not given, is a source, or cannot be created. */
  constructor(path: string, options: OutputOptions = {}) {
    this.path = path
    this.temporaryPath = join(dirname(path), `.${basename(path)}.incomplete`)
    this.#force = options.force === true
    this.#sizeLimit = options.sizeLimit ?? Number.POSITIVE_INFINITY
    try {
      refuseSource(path, options.sources ?? [])
      refuseExisting(path, this.#force)
      rmSync(this.temporaryPath, { force: true })
      this.#fd = openSync(this.temporaryPath, 'wx+', 0o600)
    } catch (cause) {
      throw writeFailure(path, cause)
    }
  }

  /** Bytes written so far, counted to the highest one. */
  get size(): number {
    return this.#size
  }

  /** @throws {NoSpaceError} the disk is full, or the limit reached · {TargetError} */
  write(offset: number, bytes: Uint8Array): void {
    const end = Math.min(bytes.length, Math.max(0, this.#sizeLimit - offset))
    let done = 0
    try {
      while (done < end) done += writeSync(this.#fd, bytes, done, end - done, offset + done)
    } catch (cause) {
      throw writeFailure(this.path, cause, done)
    } finally {
      if (done > 0) this.#size = Math.max(this.#size, offset + done)
    }
    if (end < bytes.length) {
      throw new NoSpaceError(this.path, `the size limit of ${this.#sizeLimit} bytes is reached`, done)
    }
  }

  /**
   * Have the disk write what it was given so far while more is made: a dump's last flush takes seconds
   * otherwise. @throws {TargetError}
   */
  async flush(): Promise<void> {
    try {
      await promisify(fdatasync)(this.#fd)
    } catch (cause) {
      throw writeFailure(this.path, cause)
    }
  }

  /** Set the size; a hole at the end reads as zeros. */
  truncate(size: number): void {
    try {
      ftruncateSync(this.#fd, size)
    } catch (cause) {
      throw writeFailure(this.path, cause)
    }
    this.#size = size
  }

  /** Make it durable and give it its name. @throws {TargetError} as the constructor, and disk full. */
  commit(path = this.path): void {
    try {
      refuseExisting(path, this.#force)
      fsyncSync(this.#fd)
      this.#close()
      renameSync(this.temporaryPath, path)
      this.#state = 'renamed'
      fsyncDirectory(dirname(path))
    } catch (cause) {
      throw writeFailure(path, cause)
    }
  }

  /** Without commit: the temporary file goes, nothing else changes. */
  [Symbol.dispose](): void {
    if (this.#state === 'renamed') return
    this.#close()
    rmSync(this.temporaryPath, { force: true })
  }

  /** Once: the number of a closed descriptor may be another file's by now. */
  #close(): void {
    if (this.#state === 'open') closeSync(this.#fd)
    this.#state = 'closed'
  }
}

/** Bytes that the disk is given at once. */
const flushBytes = 32 * MiB

/** The file as a sink; finishing it sets its size, commit() remains to be called. */
export function fileSink(file: OutputFile): ByteSink {
  let waiting = 0
  let flush: Promise<unknown> | undefined
  const write = (offset: number, bytes: Uint8Array): void => {
    file.write(offset, bytes)
    waiting += bytes.length
    if (waiting < flushBytes || flush !== undefined) return
    waiting = 0
    // An error is told once, to whoever asked first: it must not be lost.
    flush = file.flush().then(
      () => {
        flush = undefined
      },
      (error: unknown) => error,
    )
  }
  return {
    name: file.path,
    write: async (offset, bytes) => write(offset, bytes),
    reserve: async (offset, length) => {
      for (let done = 0; done < length; done += zeros.length) {
        write(offset + done, zeros.subarray(0, length - done))
      }
    },
    finish: async (size) => {
      const error = await flush
      if (error !== undefined) throw error
      file.truncate(size)
    },
  }
}

const zeros = new Uint8Array(64 * KiB)

/** By what the names lead to: links and other spellings of a path are the same file. */
function refuseSource(path: string, sources: readonly string[]): void {
  const found = statSync(path, { throwIfNoEntry: false })
  const isFound = (source: string): boolean => {
    const { dev, ino } = statSync(source, { throwIfNoEntry: false }) ?? {}
    return dev === found?.dev && ino === found?.ino
  }
  if (found === undefined || !sources.some(isFound)) return
  throw new TargetError(path, 'is read from, and would be lost', { hint: 'give the output another name' })
}

/** What is no file (a device, a pipe, a link to a directory) would be lost by the renaming, asked for or not. */
function refuseExisting(path: string, force: boolean): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (found.isDirectory()) throw new TargetError(path, 'is a directory')
  if (!found.isFile()) throw new TargetError(path, 'is not a regular file')
  if (!force) throw new TargetError(path, 'exists already', { hint: 'use -f to replace it, or another name' })
}

/**
 * Make a directory of mode 0700, durable, and those above it that are missing. False when it is there
 * already. @throws {TargetError} it cannot be made.
 */
export function makeDirectory(path: string): boolean {
  const parent = dirname(path)
  if (!existsSync(parent)) makeDirectory(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
    fsyncDirectory(parent)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw writeFailure(path, cause)
  }
}

/** A rename is only durable once its directory is on disk. */
function fsyncDirectory(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** A failed write as a TargetError; `hint` is for a full disk. */
export function writeFailure(
  path: string,
  cause: unknown,
  written = 0,
  hint = 'free some space or choose another destination; nothing was left behind',
): TargetError {
  if (cause instanceof TargetError) return cause
  // libuv has no name for EDQUOT.
  const { errno: number = 0 } = cause as { errno?: number }
  if (number === -constants.errno.ENOSPC || number === -constants.errno.EDQUOT) {
    return new NoSpaceError(path, 'no space left on the device', written, { hint, cause })
  }
  const known = reasons[-number]
  return new TargetError(path, known?.reason ?? messageOf(cause), { hint: known?.hint, cause })
}

/** What the system's message would tell with the temporary name in it. */
const reasons: Readonly<Record<number, { readonly reason: string; readonly hint: string }>> = {
  [constants.errno.ENOENT]: { reason: 'its directory does not exist', hint: 'make the directory first' },
  [constants.errno.EACCES]: { reason: 'permission denied', hint: 'choose a directory that you may write to' },
  [constants.errno.EROFS]: { reason: 'the file system is read-only', hint: 'choose another destination' },
}
