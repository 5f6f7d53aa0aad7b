// Positioned reads of bytes, wherever they are: a file, a buffer, a flattened stream's payload, the
// /proc/vmcore of a machine image. Synchronous on purpose: walking memory is a loop.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { hex } from './address.ts'
import { FormatError, messageOf, type Warning } from './errors.ts'

export interface ByteSource extends Disposable {
  /** For messages: the path, or what stands for it. */
  readonly name: string
  /** Opens the same bytes again, in any thread, while this is open; undefined for bytes in memory. */
  readonly path?: string | undefined
  /** Bytes. */
  readonly size: number
  /** Bytes that are there at most, of a source that may consist of gaps; left out, `size`. */
  readonly stored?: number
  /** Damage found while opening it that did not stop the opening. */
  readonly warnings?: readonly Warning[]
  /**
   * Fill `into` from `offset`. Returns how many bytes were read: fewer than asked only when the
   * source ends there, 0 at or after its end.
   */
  read(offset: number, into: Uint8Array): number
}

/** What a list of bytes in the source cannot be longer than. */
export const storedSize = (source: ByteSource): number => source.stored ?? source.size

/** Bytes [offset, offset + length) or fewer at the end of the source. */
export function readUpTo(source: ByteSource, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, source.size - offset)))
  return bytes.subarray(0, source.read(offset, bytes))
}

/** Bytes [offset, offset + length). @throws {FormatError} when the source is shorter. */
export function readExactly(source: ByteSource, offset: number, length: number, what: string): Uint8Array {
  if (offset + length > source.size || length < 0 || !Number.isSafeInteger(offset + length)) {
    throw new FormatError({
      file: source.name,
      offset,
      field: what,
      expected: `${length} bytes inside the file (size ${hex(source.size)})`,
      found: `${Math.max(0, source.size - offset)} bytes`,
      hint: 'the copy may be cut short; compare its size with the original',
    })
  }
  const bytes = new Uint8Array(length)
  const got = source.read(offset, bytes)
  if (got !== length) {
    throw new FormatError({
      file: source.name,
      offset: offset + got,
      field: what,
      expected: `${length} bytes`,
      found: `${got} bytes, then the end of the file`,
    })
  }
  return bytes
}

/** A regular file. @throws {FormatError} when it cannot be opened or is a directory. */
export class FileSource implements ByteSource {
  readonly name: string
  readonly path: string
  readonly size: number
  readonly #fd: number
  #open = true

  /** @param name for messages, when the path does not last: then the descriptor is what can be opened again. */
  constructor(path: string, name?: string) {
    this.name = name ?? path
    this.#fd = openForReading(path)
    this.path = name === undefined ? path : `/proc/self/fd/${this.#fd}`
    const stat = fstatSync(this.#fd)
    if (stat.isDirectory()) {
      closeSync(this.#fd)
      throw new FormatError({ file: path, field: 'input', expected: 'a file', found: 'a directory' })
    }
    this.size = stat.size
  }

  read(offset: number, into: Uint8Array): number {
    let done = 0
    while (done < into.length) {
      const got = this.#readOnce(into, done, offset + done)
      if (got === 0) break
      done += got
    }
    return done
  }

  #readOnce(into: Uint8Array, at: number, position: number): number {
    try {
      return readSync(this.#fd, into, at, Math.min(into.length - at, maxRead), position)
    } catch (cause) {
      throw new FormatError({
        file: this.name,
        offset: position,
        field: 'read',
        found: messageOf(cause),
        hint: 'the disk or the network file system failed; nothing was changed',
        cause,
      })
    }
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#fd)
    this.#open = false
  }
}

/** Node refuses to read 2 GiB at once. */
const maxRead = 2 ** 30

function openForReading(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (cause) {
    throw new FormatError({ file: path, field: 'cannot be opened', found: messageOf(cause), cause })
  }
}

/** Bytes in memory. */
export class BufferSource implements ByteSource {
  readonly name: string
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array, name = 'buffer') {
    this.#bytes = bytes
    this.name = name
  }

  get size(): number {
    return this.#bytes.length
  }

  read(offset: number, into: Uint8Array): number {
    const part = this.#bytes.subarray(offset, offset + into.length)
    into.set(part)
    return part.length
  }

  [Symbol.dispose](): void {}
}
