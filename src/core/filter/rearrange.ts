// A flattened stream back into the file it describes, as it comes: nothing is kept but a piece of it.

import {
  checkFlattenedHeader,
  endOfRecords,
  flattenedAbi,
  flattenedHeaderSize,
  recordHeader,
  recordHeaderSize,
} from '../../formats/flattened/layout.ts'
import { hex } from '../address.ts'
import { FormatError, InterruptedError } from '../errors.ts'
import { OutputFile, type OutputOptions } from '../output-file.ts'

export interface RearrangeOptions extends OutputOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes, when it is known. */
  readonly streamSize?: number | undefined
  /** Bytes of the stream read so far, and in all; 0 when that is not known. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

export interface RearrangeResult {
  readonly source: string
  readonly output: string
  /** Bytes. */
  readonly streamSize: number
  readonly outputSize: number
}

/**
 * Write the file that `stream` describes to `output`; unless all of it came, it is not there. Where two
 * records put bytes, the later ones stay; what follows the end record is not read.
 * @throws {FormatError} it is no flattened stream, or ends before its end record
 * @throws {TargetError} · {InterruptedError}
 */
export async function rearrange(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  output: string,
  options: RearrangeOptions = {},
): Promise<RearrangeResult> {
  using file = new OutputFile(output, options)
  await using input = new Input(stream, name, options)
  checkFlattenedHeader(await input.take(flattenedHeaderSize), name)
  for (;;) {
    const at = input.position
    const { offset, size } = recordHeader.parse(await input.take(recordHeaderSize), flattenedAbi, {
      file: name,
      base: at,
    })
    if (offset === endOfRecords && size === endOfRecords) break
    if (size === 0n || offset + size > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new FormatError({
        file: name,
        offset: at,
        field: 'record of a flattened stream',
        expected: 'an offset and a size',
        found: `${hex(offset)} and ${hex(size)}`,
      })
    }
    let to = Number(offset)
    for await (const bytes of input.pass(Number(size))) {
      file.write(to, bytes)
      to += bytes.length
    }
  }
  file.commit()
  return { source: name, output, streamSize: input.position, outputSize: file.size }
}

/** What comes in pieces of any length, asked for by the number of bytes. */
class Input implements AsyncDisposable {
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #name: string
  readonly #options: RearrangeOptions
  #piece: Uint8Array = new Uint8Array(0)
  #position = 0

  constructor(stream: AsyncIterable<Uint8Array>, name: string, options: RearrangeOptions) {
    this.#pieces = stream[Symbol.asyncIterator]()
    this.#name = name
    this.#options = options
  }

  /** Bytes asked for so far. */
  get position(): number {
    return this.#position
  }

  /** The next `length` bytes, as they come; good until the next are asked for. @throws {FormatError} */
  async *pass(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (this.#piece.length === 0) await this.#fill()
      const part = this.#piece.subarray(0, left)
      this.#piece = this.#piece.subarray(part.length)
      this.#position += part.length
      left -= part.length
      yield part
    }
  }

  /** The next `length` bytes at once. */
  async take(length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    let done = 0
    for await (const part of this.pass(length)) {
      bytes.set(part, done)
      done += part.length
    }
    return bytes
  }

  async #fill(): Promise<void> {
    const { signal, onProgress, streamSize = 0 } = this.#options
    if (signal?.aborted) throw new InterruptedError()
    onProgress?.({ done: this.#position, total: streamSize })
    const { done, value } = await this.#pieces.next()
    if (!done) this.#piece = value
    else {
      throw new FormatError({
        file: this.#name,
        offset: this.#position,
        field: 'flattened stream',
        expected: 'more records and the end record',
        found: 'the end of the stream',
        hint: 'the program that wrote it failed, or a copy is cut short; fadump filter STREAM OUTPUT keeps what came before',
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return?.()
  }
}
