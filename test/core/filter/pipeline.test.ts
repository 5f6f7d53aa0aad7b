import { describe, expect, it } from 'vitest'
import { InterruptedError, TargetError } from '../../../src/core/errors.ts'
import { type FilterOptions, filterDump } from '../../../src/core/filter/index.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { filterFile } from '../../make/filtered.ts'
import { makeMemorySink } from '../../make/memory-sink.ts'

const small = fixture('x86_64-7.2-small/vmcore')

describe('the number of threads', () => {
  it.each([
    ['packed kdump', { codec: 'zlib', level: 31 }],
    ['raw kdump', { level: 1 }],
    ['ELF', { format: 'elf', level: 31 }],
  ] as const)('does not change a byte: %s', async (_, options) => {
    const { bytes: alone, result } = await filterFile(small, { ...options, threads: 0 })
    for (const threads of [1, 2, 3]) {
      const filtered = await filterFile(small, { ...options, threads })
      expect(filtered.result).toEqual(result)
      expect(Buffer.compare(filtered.bytes, alone)).toBe(0)
    }
  })
})

describe('a filter that is stopped', () => {
  const run = async (options: Partial<FilterOptions>, sink = makeMemorySink()): Promise<void> => {
    using dump = openDump(small)
    await filterDump(dump, sink, { format: 'kdump', codec: 'zlib', level: 1, ...options })
  }

  it.each([0, 2])('by the user ends soon, %i threads', async (threads) => {
    const abort = new AbortController()
    const onProgress = ({ done, total }: { done: number; total: number }): void => {
      expect(done).toBeLessThan(total)
      abort.abort()
    }
    await expect(run({ threads, signal: abort.signal, onProgress })).rejects.toThrow(InterruptedError)
  })

  it.each([0, 2])('by a full disk says so, %i threads', async (threads) => {
    for (const room of [0, 1, 7, 20]) {
      const sink = makeMemorySink()
      const write = sink.write
      sink.write = async (offset, bytes) => {
        if (sink.writes.length === room) throw new TargetError('disk', 'no space left on the device')
        await write(offset, bytes)
      }
      await expect(run({ threads }, sink)).rejects.toMatchObject({ code: 'TARGET', target: 'disk' })
    }
  })
})

describe('progress', () => {
  it('goes up to all the bytes there are', async () => {
    const seen: number[] = []
    const { result } = await filterFile(small, {
      level: 31,
      threads: 2,
      onProgress: ({ done, total }) => {
        expect(total).toBe(8178 * 4096)
        seen.push(done)
      },
    })
    expect(seen).toEqual(seen.toSorted((a, b) => a - b))
    expect(seen.at(-1)).toBe((result.pages.kept + result.pages.zero) * 4096)
  })
})
