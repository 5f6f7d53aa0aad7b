// What a dry run says, beside what the filter then writes.

import { describe, expect, it } from 'vitest'
import { type EstimateOptions, estimateFilter } from '../../../src/core/filter/estimate.ts'
import { filterDump } from '../../../src/core/filter/index.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { makeMemorySink } from '../../make/memory-sink.ts'

const codecs = ['zlib', 'lzo', 'snappy', 'zstd'] as const

async function both(name: Parameters<typeof fixture>[0], options: EstimateOptions) {
  using dump = openDump(fixture(name))
  const estimate = await estimateFilter(dump, 'out', options)
  const written = await filterDump(dump, makeMemorySink(), options)
  return { estimate, written }
}

describe('a dry run', () => {
  it.each([
    ['kdump', 31],
    ['kdump', 16],
    ['elf', 31],
  ] as const)('knows the pages, the size and the bytes to write of %s at level %i', async (format, level) => {
    const { estimate, written } = await both('x86_64-7.2-small/vmcore', { level, format })
    const { sizes, ...result } = estimate
    expect(result).toEqual({ ...written, output: 'out' })
    expect(sizes[0]).toEqual({ codec: null, outputSize: written.outputSize, isExact: true })
  })

  it.each(codecs)('knows the size with %s when it packs every page', async (codec) => {
    const options = { level: 17, format: 'kdump', codec } as const
    const { estimate, written } = await both('x86_64-7.2-small/vmcore', { ...options, samplePages: 1e6 })
    expect(estimate.outputSize).toBe(written.outputSize)
    expect(estimate.writtenBytes).toBe(written.writtenBytes)
    expect(estimate.sizes.find((size) => size.codec === codec)).toEqual({
      codec,
      outputSize: written.outputSize,
      isExact: true,
    })
  })

  it.each([
    ['x86_64-7.2-small/vmcore', 31, 1000],
    ['x86_64-6.1-debian/vmcore.kdump', 0, 1000],
  ] as const)(
    'of %s at level %i is within 5 percent with every codec by %i pages',
    async (name, level, samplePages) => {
      using dump = openDump(fixture(name))
      const { sizes } = await estimateFilter(dump, 'out', { level, format: 'kdump', samplePages })
      for (const codec of codecs) {
        const written = await filterDump(dump, makeMemorySink(), { level, format: 'kdump', codec })
        const size = sizes.find((one) => one.codec === codec)
        expect(size?.isExact).toBe(false)
        expect(Math.abs((size?.outputSize ?? 0) / written.outputSize - 1), codec).toBeLessThan(0.05)
      }
    },
  )

  it('takes the level of the codec that was asked for', async () => {
    using dump = openDump(fixture('x86_64-7.2-small/vmcore'))
    const options = { level: 31, format: 'kdump', codec: 'zlib', samplePages: 200 } as const
    const fast = await estimateFilter(dump, 'out', { ...options, compressionLevel: 1 })
    const small = await estimateFilter(dump, 'out', { ...options, compressionLevel: 9 })
    expect(small.outputSize).toBeLessThan(fast.outputSize)
    expect(small.sizes.map(({ codec }) => codec)).toEqual([null, ...codecs])
  })
})
