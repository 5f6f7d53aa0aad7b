// LZO1X blocks without header, as lzo1x_1 packs a page. A block is a row of instructions: copy literal
// bytes of the input, or copy a match from what came out already and then up to three literals.
// Source: Linux Documentation/staging/lzo.rst, which describes the format.

import { type Codec, CodecError } from './codec.ts'

export const lzo: Codec = { name: 'lzo', flag: 0x2, decompress }

/** After a literal run of four or more; otherwise the state is the number of literals just copied. */
const afterLongRun = 4

function decompress(input: Uint8Array, output: Uint8Array): void {
  let at = 0
  let done = 0

  function byte(): number {
    if (at >= input.length) throw new CodecError('lzo: the block ends too early')
    return input[at++] as number
  }

  /** A length that did not fit its instruction: each zero byte adds 255, the byte after them ends it. */
  function longer(base: number): number {
    let length = base
    let more = byte()
    for (; more === 0; more = byte()) length += 255
    return length + more
  }

  function literals(length: number): void {
    if (length > input.length - at || length > output.length - done) {
      throw new CodecError(`lzo: no room for ${length} literal bytes at ${done}`)
    }
    for (const end = done + length; done < end; done++) output[done] = input[at++] as number
  }

  /** Copies byte by byte: source and destination overlap when a match repeats a short pattern. */
  function match(distance: number, length: number): void {
    if (distance > done || length > output.length - done) {
      throw new CodecError(`lzo: no match of ${length} bytes from ${distance} back at ${done}`)
    }
    for (const end = done + length; done < end; done++) output[done] = output[done - distance] as number
  }

  let state = 0
  // A block may begin with literals, whose number is the first byte less 17.
  if ((input[0] as number) > 17) {
    const length = byte() - 17
    literals(length)
    state = Math.min(length, afterLongRun)
  }
  for (;;) {
    const code = byte()
    let after = code & 3
    if (code >= 64) {
      match(1 + ((code >>> 2) & 7) + (byte() << 3), 1 + (code >>> 5))
    } else if (code >= 32) {
      const length = 2 + ((code & 31) === 0 ? longer(31) : code & 31)
      const low = byte()
      match(1 + (low >>> 2) + (byte() << 6), length)
      after = low & 3
    } else if (code >= 16) {
      const length = 2 + ((code & 7) === 0 ? longer(7) : code & 7)
      const low = byte()
      const distance = 0x4000 + ((code & 8) << 11) + (low >>> 2) + (byte() << 6)
      if (distance === 0x4000) break
      match(distance, length)
      after = low & 3
    } else if (state === 0) {
      literals(3 + (code === 0 ? longer(15) : code))
      state = afterLongRun
      continue
    } else if (state === afterLongRun) {
      match(0x801 + (code >>> 2) + (byte() << 2), 3)
    } else {
      match(1 + (code >>> 2) + (byte() << 2), 2)
    }
    literals(after)
    state = after
  }
  if (done !== output.length || at !== input.length) {
    throw new CodecError(`lzo: ${done} bytes come out of ${at}, not ${output.length} of ${input.length}`)
  }
}
