import { describe, expect, it } from 'vitest'
import type { Compressor } from '../../../src/core/codecs/codec.ts'
import { zstd } from '../../../src/core/codecs/zstd.ts'
import { noise } from '../../make/pages.ts'
import { samplePage } from '../../make/sample-page.ts'

const compressor = (level?: number): Compressor => zstd.makeCompressor?.(level) as Compressor

function pack(compress: Compressor, page: Uint8Array): Uint8Array {
  const output = new Uint8Array(page.length)
  return output.slice(0, compress(page, output))
}

describe('zstd pages by libzstd', () => {
  it('come out of our decoder as they went in, at every level', () => {
    for (let level = 1; level <= 19; level++) {
      const compress = compressor(level)
      for (const size of [4096, 16384, 65536]) {
        const page = samplePage(size)
        const unpacked = new Uint8Array(size)
        zstd.decompress(pack(compress, page), unpacked)
        expect(Buffer.compare(unpacked, page), `level ${level}, ${size} bytes`).toBe(0)
      }
    }
  })

  it('get smaller with the level', () => {
    const [fast, small] = [1, 19].map((level) => pack(compressor(level), samplePage(65536)).length)
    expect(small).toBeLessThan(fast as number)
  })

  it('are 0 bytes when that is no gain, and the next page is not touched by it', () => {
    const compress = compressor()
    const first = pack(compress, samplePage())
    expect(pack(compress, noise(4096, 3))).toHaveLength(0)
    expect(pack(compress, noise(65536, 3))).toHaveLength(0)
    expect(Buffer.compare(pack(compress, samplePage()), first)).toBe(0)
  })

  it('are refused a level that libzstd would silently replace', () => {
    for (const level of [0, -1, 20, 1.5, Number.NaN]) {
      expect(() => compressor(level)).toThrow(`zstd: level ${level} is not one of 1 to 19`)
    }
  })
})
