// A bounds-checked reader over bytes that knows which file they came from and where, so that every
// complaint can name file and offset. The dump is hostile: nothing here trusts a length.

import { hex } from './address.ts'
import { FormatError } from './errors.ts'

export interface Origin {
  /** File the bytes come from, for messages. */
  readonly file: string
  /** Byte in that file at which `bytes[0]` stands. */
  readonly base?: number
  /** What the bytes are, put before field names: `kdump sub-header`. */
  readonly what?: string
}

export class Cursor {
  readonly bytes: Uint8Array
  readonly file: string
  readonly base: number
  readonly what: string
  readonly littleEndian: boolean
  readonly #view: DataView
  position = 0

  constructor(bytes: Uint8Array, littleEndian: boolean, origin: Origin) {
    this.bytes = bytes
    this.littleEndian = littleEndian
    this.file = origin.file
    this.base = origin.base ?? 0
    this.what = origin.what ?? ''
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.bytes.length - this.position
  }

  /** Byte in the file at which the cursor stands. */
  get offset(): number {
    return this.base + this.position
  }

  u8(field = 'byte'): number {
    return this.#view.getUint8(this.#take(1, field))
  }

  u16(field = 'u16'): number {
    return this.#view.getUint16(this.#take(2, field), this.littleEndian)
  }

  u32(field = 'u32'): number {
    return this.#view.getUint32(this.#take(4, field), this.littleEndian)
  }

  i32(field = 'i32'): number {
    return this.#view.getInt32(this.#take(4, field), this.littleEndian)
  }

  /** A u64 that must be a safe integer. @throws {FormatError} when it is not. */
  u64(field = 'u64'): number {
    const at = this.position
    const value = this.big64(field)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw this.problem(field, { at, expected: 'less than 2^53', found: hex(value) })
    }
    return Number(value)
  }

  big64(field = 'u64'): bigint {
    return this.#view.getBigUint64(this.#take(8, field), this.littleEndian)
  }

  /** The next `length` bytes, not copied. */
  take(length: number, field = 'bytes'): Uint8Array {
    const at = this.#take(length, field)
    return this.bytes.subarray(at, at + length)
  }

  skip(length: number, field = 'bytes'): void {
    this.#take(length, field)
  }

  /** Move up to the next multiple of `alignment`, at most to the end. */
  align(alignment: number): void {
    this.position = Math.min(Math.ceil(this.position / alignment) * alignment, this.bytes.length)
  }

  /** A FormatError about `field`, `at` a position of this cursor (default: where it stands). */
  problem(
    field: string,
    about: { at?: number; expected?: string; found?: string; hint?: string } = {},
  ): FormatError {
    return new FormatError({
      file: this.file,
      offset: this.base + (about.at ?? this.position),
      field: this.what === '' ? field : `${this.what}, ${field}`,
      ...(about.expected === undefined ? {} : { expected: about.expected }),
      ...(about.found === undefined ? {} : { found: about.found }),
      ...(about.hint === undefined ? {} : { hint: about.hint }),
    })
  }

  #take(length: number, field: string): number {
    const at = this.position
    if (length < 0 || !Number.isSafeInteger(length) || at + length > this.bytes.length) {
      throw this.problem(field, { expected: `${length} more bytes`, found: `${this.remaining} bytes` })
    }
    this.position = at + length
    return at
  }
}
