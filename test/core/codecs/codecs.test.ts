import { describe, expect, it } from 'vitest'
import { type Codec, CodecError, type Compressor } from '../../../src/core/codecs/codec.ts'
import { codecList, findCodec } from '../../../src/core/codecs/index.ts'
import { lzo } from '../../../src/core/codecs/lzo.ts'
import { snappy } from '../../../src/core/codecs/snappy.ts'
import { onceCompressor, streamCompressor, zlib } from '../../../src/core/codecs/zlib.ts'
import { zstd } from '../../../src/core/codecs/zstd.ts'
import { samplePage } from '../../make/sample-page.ts'
import * as packed from './packed-pages.ts'

const page = samplePage()

function unpack(codec: Codec, input: Uint8Array, length = page.length): Uint8Array {
  const output = new Uint8Array(length)
  codec.decompress(input, output)
  return output
}

/** The page, or 'CodecError'; anything else thrown is a bug. */
function unpackOrRefuse(codec: Codec, input: Uint8Array): Uint8Array | 'CodecError' {
  try {
    return unpack(codec, input)
  } catch (error) {
    if (error instanceof CodecError) return 'CodecError'
    throw error
  }
}

const samples: [string, Codec, string][] = [
  ['makedumpfile -c', zlib, packed.zlibPacked],
  ['makedumpfile -l', lzo, packed.lzoPacked],
  ['makedumpfile -p', snappy, packed.snappyPacked],
  ['makedumpfile -z', zstd, packed.zstdPacked],
  ['zstd -19', zstd, packed.zstd19Packed],
  ['zstd -3 of a stream', zstd, packed.zstdStreamPacked],
]

describe.each(samples)('what %s packed', (_, codec, text) => {
  const input = new Uint8Array(Buffer.from(text, 'base64'))

  it('comes out as it went in', () => {
    expect(Buffer.compare(unpack(codec, input), page)).toBe(0)
  })

  it('is refused when the page has another length', () => {
    for (const length of [0, 1, page.length - 1, page.length + 1, 2 * page.length]) {
      expect(() => unpack(codec, input, length)).toThrow(CodecError)
    }
  })

  it('is refused wherever it is cut', () => {
    for (let end = 0; end < input.length; end++) {
      expect(unpackOrRefuse(codec, input.subarray(0, end)), `cut at ${end}`).toBe('CodecError')
    }
  })

  it('gives a page or a CodecError, soon, whichever byte is changed', () => {
    for (let at = 0; at < input.length; at++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const damaged = input.slice()
        damaged[at] = (damaged[at] as number) ^ change
        const result = unpackOrRefuse(codec, damaged)
        expect(result === 'CodecError' || result.length === page.length).toBe(true)
      }
    }
  })

  it('is not mistaken by another codec', () => {
    for (const other of codecList.filter((one) => one !== codec)) {
      expect(unpackOrRefuse(other, input)).toBe('CodecError')
    }
  })
})

describe('codecs', () => {
  it('are found by the flags of diskdump_mod.h, in the order in which crash tests them', () => {
    expect([0x1, 0x2, 0x4, 0x20].map((flag) => findCodec(flag)?.name)).toEqual([
      'zlib',
      'lzo',
      'snappy',
      'zstd',
    ])
    expect(findCodec(0x3)?.name).toBe('zlib')
    expect(findCodec(0)).toBeUndefined()
    expect(findCodec(0x18)).toBeUndefined()
  })

  it('refuse an empty input', () => {
    for (const codec of codecList) expect(() => unpack(codec, new Uint8Array(0))).toThrow(CodecError)
  })
})

describe.each([
  ['as chosen', zlib.makeCompressor],
  ['by the state used again', streamCompressor],
  ['page by page', onceCompressor],
])('zlib, %s', (_, makeCompressor) => {
  const compress = makeCompressor?.() as Compressor

  it('packs a page as a zlib stream', () => {
    const output = new Uint8Array(page.length)
    const length = compress(page, output)
    expect(length).toBeGreaterThan(0)
    expect(output[0]).toBe(0x78)
    expect(Buffer.compare(unpack(zlib, output.subarray(0, length)), page)).toBe(0)
  })

  it('says 0 when a page does not get smaller', () => {
    const noise = page.subarray(2048, 2048 + 256)
    expect(compress(noise, new Uint8Array(256))).toBe(0)
  })

  it('packs a page the same whatever came before, one that did not fit too', () => {
    const output = new Uint8Array(page.length)
    const first = output.slice(0, compress(page, output))
    compress(page.subarray(2048, 2048 + 256), output)
    compress(new Uint8Array(4096), output)
    expect(Buffer.compare(output.subarray(0, compress(page, output)), first)).toBe(0)
  })

  it('packs whole pages of all sizes', () => {
    for (const size of [4096, 16384, 65536]) {
      const large = new Uint8Array(size).map((_, i) => page[(i * 7) % page.length] as number)
      const output = new Uint8Array(size)
      expect(Buffer.compare(unpack(zlib, output.subarray(0, compress(large, output)), size), large)).toBe(0)
    }
  })
})

describe('snappy', () => {
  it('does not go back for a literal of 2^32 bytes', () => {
    const input = Uint8Array.of(0x80, 0x20, 63 << 2, 0xfb, 0xff, 0xff, 0xff, 0, 0, 0, 0)
    expect(() => unpack(snappy, input)).toThrow('no room for 4294967292 literal bytes at 0')
  })

  it('repeats a pattern by a copy that overlaps itself', () => {
    // Length 10; literal "ab"; copy 8 bytes from 2 back.
    const input = Uint8Array.of(10, 1 << 2, 0x61, 0x62, ((8 - 4) << 2) | 1, 2)
    expect(Buffer.from(unpack(snappy, input, 10)).toString()).toBe('ababababab')
  })
})

describe('lzo', () => {
  it('reads every kind of instruction', () => {
    const text = (input: number[], length: number) =>
      Buffer.from(unpack(lzo, Uint8Array.from(input), length)).toString('latin1')
    const end = [0x11, 0, 0]
    // First byte 17 + 4: four literals. Then, in state 4, a match of 3 bytes needs 2049 bytes behind it.
    expect(text([21, 97, 98, 99, 100, ...end], 4)).toBe('abcd')
    // M2, 64 + (length - 3 << 5) + (low distance << 2) + 1 literal after: 3 bytes from 4 back.
    expect(text([21, 97, 98, 99, 100, 64 | (3 << 2) | 1, 0, 120, ...end], 8)).toBe('abcdabcx')
    // After 1 to 3 literals, codes below 16 are matches of 2 bytes: from 1 + 0 back.
    expect(text([21, 97, 98, 99, 100, 64 | (3 << 2) | 1, 0, 120, 0, 0, ...end], 10)).toBe('abcdabcxxx')
    // M3, 32 + length - 2, then the distance less 1, times four: 30 bytes from 1 back.
    expect(text([18, 45, 32 | 28, 0, 0, ...end], 31)).toBe('-'.repeat(31))
    // Length 0 in the code: 31 + 255 + 9 + 2 bytes.
    expect(text([18, 45, 32, 0, 9, 0, 0, ...end], 298)).toBe('-'.repeat(298))
    // State 0: a run of 3 + 15 + 1 literals.
    const run = 'nineteen characters'
    expect(text([0, 1, ...Buffer.from(run), ...end], 19)).toBe(run)
  })

  it('refuses a match from before the page', () => {
    expect(() => unpack(lzo, Uint8Array.of(18, 45, 32 | 28, 4, 0, 0x11, 0, 0), 31)).toThrow(
      'from 2 back at 1',
    )
  })
})
