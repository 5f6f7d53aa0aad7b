// zlib streams (RFC 1950) by Node's own library. Pages are packed with it when a level is asked for;
// src/wasm/deflate.ts is what stands for level 1, at three times the speed.

import { createDeflate, deflateSync, inflateSync } from 'node:zlib'
import { messageOf } from '../errors.ts'
import { type Codec, CodecError, type Compressor } from './codec.ts'

export const zlib: Codec = {
  name: 'zlib',
  flag: 0x1,

  decompress(input, output) {
    const bytes = inflate(input, output.length)
    if (bytes.length !== output.length) {
      throw new CodecError(`zlib: ${bytes.length} bytes come out, not ${output.length}`)
    }
    output.set(bytes)
  },

  levels: { least: 1, most: 9, usual: 1 },

  makeCompressor: (level) => streamCompressor(level) ?? onceCompressor(level),
}

/** So that the library does not ask for a second buffer when the first is just full. */
const slack = 64

function inflate(input: Uint8Array, length: number): Uint8Array {
  try {
    return inflateSync(input, { chunkSize: length + slack, maxOutputLength: length })
  } catch (cause) {
    throw new CodecError(`zlib: ${messageOf(cause)}`, { cause })
  }
}

const makeOptions = (level = 1) => ({ level, memLevel: 9 })

/** The public way: sets everything up and allocates for every page. */
export const onceCompressor =
  (level?: number): Compressor =>
  (page, output) => {
    const bytes = deflateSync(page, { ...makeOptions(level), chunkSize: page.length + slack })
    if (bytes.length >= page.length) return 0
    output.set(bytes)
    return bytes.length
  }

/** What Node's deflate streams are underneath: one call packs from one buffer into another. */
interface DeflateStream {
  readonly _handle?: {
    reset(): void
    writeSync(
      flush: number,
      from: Uint8Array,
      at: number,
      size: number,
      to: Uint8Array,
      toAt: number,
      room: number,
    ): void
  }
  /** After a write: bytes left in `to`, bytes left in `from`. */
  readonly _writeState?: Uint32Array
}

/** Z_FINISH */
const finish = 4

/**
 * One deflate state, used again for every page: twice as fast. It is private to Node, so it is tried
 * out; undefined where it does not do what it does in Node 20 to 24.
 */
export function streamCompressor(level?: number): Compressor | undefined {
  const { _handle: handle, _writeState: state } = createDeflate(
    makeOptions(level),
  ) as unknown as DeflateStream
  if (handle?.writeSync === undefined || handle.reset === undefined || state === undefined) return undefined
  const pack: Compressor = (page, output) => {
    handle.reset()
    // One byte short of the page: what does not fit there is no gain.
    const room = page.length - 1
    handle.writeSync(finish, page, 0, page.length, output, 0, room)
    return state[0] === 0 ? 0 : room - (state[0] as number)
  }
  return unpacksAgain(pack) ? pack : undefined
}

function unpacksAgain(pack: Compressor): boolean {
  const page = Buffer.from('what goes in comes out again; '.repeat(100))
  const packed = new Uint8Array(page.length)
  try {
    // Twice: the second page must not know of the first.
    const sizes = [pack(page, packed), pack(page, packed)]
    return sizes[0] === sizes[1] && inflateSync(packed.subarray(0, sizes[0])).equals(page)
  } catch {
    return false
  }
}
