// zlib streams (RFC 1950), level 1 when writing, as makedumpfile -c does. Node's own library.

import { deflateSync, inflateSync } from 'node:zlib'
import { type Codec, CodecError } from './codec.ts'

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

  compress(page, output) {
    const bytes = deflateSync(page, { level: 1, chunkSize: page.length + slack })
    if (bytes.length >= page.length) return 0
    output.set(bytes)
    return bytes.length
  },
}

/** So that the library does not ask for a second buffer when the first is just full. */
const slack = 64

function inflate(input: Uint8Array, length: number): Uint8Array {
  try {
    return inflateSync(input, { chunkSize: length + slack, maxOutputLength: length })
  } catch (cause) {
    throw new CodecError(`zlib: ${cause instanceof Error ? cause.message : cause}`, { cause })
  }
}
