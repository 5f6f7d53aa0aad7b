// Raw Snappy blocks: the unpacked length, then literals and copies. Source: format_description.txt of
// the Snappy project.

import { type Codec, CodecError } from './codec.ts'

export const snappy: Codec = { name: 'snappy', flag: 0x4, decompress }

/** Low two bits of an element's first byte. */
const kinds = { literal: 0, copy1: 1, copy2: 2, copy4: 3 } as const

function decompress(input: Uint8Array, output: Uint8Array): void {
  let at = 0
  let done = 0

  /** The next `bytes` (1 to 4) bytes as a little-endian number. */
  function number(bytes: number): number {
    if (at + bytes > input.length) throw new CodecError('snappy: the block ends too early')
    let value = 0
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (input[at + i] as number)
    at += bytes
    return value
  }

  function copy(distance: number, length: number): void {
    if (distance === 0 || distance > done || length > output.length - done) {
      throw new CodecError(`snappy: no copy of ${length} bytes from ${distance} back at ${done}`)
    }
    for (const end = done + length; done < end; done++) output[done] = output[done - distance] as number
  }

  function literal(length: number): void {
    if (length > input.length - at || length > output.length - done) {
      throw new CodecError(`snappy: no room for ${length} literal bytes at ${done}`)
    }
    for (const end = done + length; done < end; done++) output[done] = input[at++] as number
  }

  const length = readLength(number)
  if (length !== output.length)
    throw new CodecError(`snappy: a block of ${length} bytes, not ${output.length}`)
  while (at < input.length) {
    const tag = input[at++] as number
    const upper = tag >>> 2
    // Literals up to 60 bytes have their length in the tag, longer ones in 1 to 4 bytes after it.
    if ((tag & 3) === kinds.literal) literal(1 + (upper < 60 ? upper : number(upper - 59)))
    else if ((tag & 3) === kinds.copy1) copy(((tag >>> 5) << 8) + number(1), 4 + (upper & 7))
    else copy(number((tag & 3) === kinds.copy2 ? 2 : 4), 1 + upper)
  }
  if (done !== output.length) throw new CodecError(`snappy: ${done} bytes come out, not ${output.length}`)
}

/** A varint of at most 32 bits: seven bits a byte, low ones first. */
function readLength(number: (bytes: number) => number): number {
  let length = 0
  for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
    const byte = number(1)
    length += (byte & 0x7f) * scale
    if (byte < 0x80) return length
  }
  throw new CodecError('snappy: the length has no end')
}
