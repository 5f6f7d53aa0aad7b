// The encoders of src/wasm against our decoders, which pages by makedumpfile test.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Codec, CodecError, type CodecName } from '../../src/core/codecs/codec.ts'
import { lzo } from '../../src/core/codecs/lzo.ts'
import { snappy } from '../../src/core/codecs/snappy.ts'
import { zlib } from '../../src/core/codecs/zlib.ts'
import { zstd } from '../../src/core/codecs/zstd.ts'
import { wasmBytes } from '../../src/core/embedded.ts'
import { PageBatch, type WasmBuild } from '../../src/core/page-batch.ts'
import { distanceLimits, lengthLimits, matchPages, partsPage } from '../make/match-pages.ts'
import { hostilePages, noise, realPages } from '../make/pages.ts'
import { samplePage } from '../make/sample-page.ts'

const pageSizes = [4096, 16384, 65536]
const pagesOf = new Map(
  pageSizes.map((size) => [size, [...realPages(size, 40), ...hostilePages(size), ...matchPages(size)]]),
)
const builds: readonly WasmBuild[] = ['pages-simd', 'pages-plain']
const room = 64 * 65536
const batches = builds.map((build) => new PageBatch(room, build))

/** Each page as the first build packs it, a page as it is when that is no gain; the builds agree. */
function packAll(codec: Codec, pages: readonly Uint8Array[]): Uint8Array[] {
  const packed = batches.map((batch) => pages.map((page) => pack(batch, codec, [page])[0] as Uint8Array))
  const [first, second] = packed as [Uint8Array[], Uint8Array[]]
  first.forEach((bytes, i) => {
    expect(Buffer.compare(bytes, second[i] as Uint8Array), `page ${i}, SIMD and plain`).toBe(0)
  })
  return first
}

function pack(batch: PageBatch, codec: Codec, pages: readonly Uint8Array[]): Uint8Array[] {
  const pageSize = (pages[0] as Uint8Array).length
  pages.forEach((page, i) => {
    batch.pages.set(page, i * pageSize)
  })
  const sizes = new Int32Array(pages.length)
  const bytes = batch.pack(codec.flag, pageSize, sizes, false)
  let end = 0
  return [...sizes].map((size) => {
    end += size
    return bytes.slice(end - size, end)
  })
}

function expectUnpacks(codec: Codec, page: Uint8Array, packed: Uint8Array, name: string): void {
  const output = new Uint8Array(page.length)
  if (packed.length === page.length) output.set(packed)
  else codec.decompress(packed, output)
  expect(Buffer.compare(output, page), name).toBe(0)
}

describe.each([zlib, lzo, snappy, zstd])('pages packed with $name', (codec) => {
  it.each(pageSizes)('of %i bytes come out as they went in, however odd', (size) => {
    const pages = pagesOf.get(size) as Uint8Array[]
    packAll(codec, pages).forEach((packed, i) => {
      expectUnpacks(codec, pages[i] as Uint8Array, packed, `page ${i}`)
    })
  })

  it('come out as they went in, whatever literals and matches they are made of', () => {
    const length = fc.oneof(fc.constantFrom(...lengthLimits), fc.integer({ min: 1, max: 600 }))
    const distance = fc.oneof(fc.constantFrom(...distanceLimits), fc.integer({ min: 1, max: 65535 }))
    const part = fc.oneof(fc.record({ literals: length }), fc.record({ copy: length, distance }))
    fc.assert(
      fc.property(
        fc.constantFrom(...pageSizes),
        fc.array(part, { minLength: 1, maxLength: 40 }),
        fc.integer(),
        (size, parts, seed) => {
          const page = partsPage(size, parts, seed)
          expectUnpacks(codec, page, packAll(codec, [page])[0] as Uint8Array, 'page')
        },
      ),
      { numRuns: 150 },
    )
  })

  it('damaged anywhere, unpack to a page or are refused', () => {
    const packed = packAll(codec, matchPages(4096)).filter(({ length }) => length < 4096)
    const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))
    fc.assert(
      fc.property(
        fc.constantFrom(...packed),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        (bytes, changes) => {
          const damaged = bytes.slice()
          for (const [at, xor] of changes)
            damaged[at % damaged.length] = (damaged[at % damaged.length] as number) ^ xor
          try {
            codec.decompress(damaged, new Uint8Array(4096))
          } catch (error) {
            expect(error).toBeInstanceOf(CodecError)
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('do not depend on the pages before them', () => {
    const pages = [...realPages(4096, 40), ...matchPages(4096)]
    const alone = packAll(codec, pages)
    for (const batch of batches) {
      const after = pack(batch, codec, [...pages].reverse()).reverse()
      expect(after.map((bytes, i) => Buffer.compare(bytes, alone[i] as Uint8Array))).toEqual(
        pages.map(() => 0),
      )
    }
  })

  it('are stored as they are when packing is no gain', () => {
    for (const size of pageSizes) {
      const page = noise(size, size)
      expect(Buffer.compare(packAll(codec, [page])[0] as Uint8Array, page)).toBe(0)
    }
  })

  it('of one byte value take what the longest instructions take', () => {
    const [packed] = packAll(codec, [new Uint8Array(4096).fill(7)])
    expect(packed?.length).toBe(sameByteSizes[codec.name])
  })
})

/** What a page of 4096 times the same byte packs to, bytes, counted by hand. */
const sameByteSizes: Readonly<Record<CodecName, number>> = {
  // Header and checksum 6. Bits: head 3 + 14 + 18 * 3; lengths of the codes in 25 and 27 more for runs;
  // 15 matches of 258 bytes, one of 225 with 5 more, the first byte and the end in 15 + 8 + 5, 16 distances.
  zlib: 6 + Math.ceil((71 + 52 + 28 + 16) / 8),
  // 1 literal with its count; 33 + 15 * 255 + 237 bytes by a match, its 16 bytes of length, distance; end.
  lzo: 2 + 1 + 16 + 2 + 3,
  // Length 2, literal 2, 63 copies of 64 bytes and one of 63, 3 bytes each.
  snappy: 2 + 2 + 64 * 3,
  // Headers of frame and block 10, raw literals 1 + 2, sequences 1 + 1; 17 bits of states, 11 of the length
  // of 4094, an end mark.
  zstd: 10 + 3 + 2 + 4,
}

describe('a page packed with zlib', () => {
  const pack = (page: Uint8Array): Uint8Array => packAll(zlib, [page])[0] as Uint8Array
  // RFC 1951, 3.2.3: the last block, and its kind.
  const kinds = { fixed: 1 | (1 << 1), dynamic: 1 | (2 << 1) }

  it('has a code of its own, or the fixed one where that is shorter', () => {
    expect((pack(samplePage())[2] as number) & 7).toBe(kinds.dynamic)
    const packed = pack(new Uint8Array(4096).map((_, i) => (i < 30 ? (7 * i * i + 3 * i + 1) & 127 : 0)))
    expect((packed[2] as number) & 7).toBe(kinds.fixed)
    // Header and checksum 6. Bits: head 3; 30 bytes and a zero in 8 each; 15 matches of 258 bytes, one of
    // 195 with 5 more, distances in 5 each; end 7.
    expect(packed.length).toBe(6 + Math.ceil((3 + 31 * 8 + 16 * 13 + 5 + 7) / 8))
  })
})

describe.each(builds)('%s', (build) => {
  // What an encoder may write behind its start, as src/wasm/pack.ts says.
  const most = (size: number): number => size + size / 8 + 1024
  const instance = new WebAssembly.Instance(new WebAssembly.Module(wasmBytes(build)), {})
  const module = instance.exports as unknown as {
    memory: WebAssembly.Memory
    heapStart(): number
    packPages(...numbers: number[]): number
  }
  const start = module.heapStart()
  module.memory.grow(8)
  const [page, output, sizes] = [start + 16, start + 70_000, start + 200_000] as const
  const memory = new Uint8Array(module.memory.buffer)
  const guard = new Uint8Array(16384).fill(0xa5)

  it.each([zlib, lzo, snappy, zstd])('writes no farther than it may, packing with $name', ({ flag }) => {
    for (const size of pageSizes) {
      for (const bytes of pagesOf.get(size) as Uint8Array[]) {
        memory.set(guard, output + most(size))
        memory.set(bytes, page)
        memory.fill(0, sizes, sizes + 4)
        module.packPages(flag, page, size, 1, 0, output, sizes)
        const after = memory.subarray(output + most(size), output + most(size) + guard.length)
        expect(Buffer.compare(after, guard)).toBe(0)
      }
    }
  })
})
