// Dumps of which a part is missing: what is there is read and filtered, and what is not is listed. The
// sizes and places are those of the headers, reckoned by hand.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filterDump } from '../../src/core/filter/index.ts'
import { reassemble } from '../../src/core/filter/reassemble.ts'
import { renderFilterResult } from '../../src/core/filter/render.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeElfCore, makeVmcoreinfo } from '../make/elf-core.ts'
import { makeFlattened } from '../make/flattened.ts'
import { makeFolder } from '../make/folder.ts'
import { filledPage, type KdumpOptions, makeKdump } from '../make/kdump.ts'
import { makeMemorySink } from '../make/memory-sink.ts'

const page = 4096

function write(...files: readonly Uint8Array[]): readonly string[] {
  const folder = makeFolder()
  return files.map((bytes, i) => {
    const path = join(folder, `vmcore.${i}`)
    writeFileSync(path, bytes)
    return path
  })
}

/** Page frames that are there, each with its number in its first byte. */
function pagesOf({ memory }: Dump): number[] {
  const byte = new Uint8Array(1)
  return [...memory.storedPages(page).runs()].flatMap(({ start, end }) =>
    Array.from({ length: end - start }, (_, i) => {
      memory.read((start + i) * page, byte)
      expect(byte[0]).toBe(start + i)
      return start + i
    }),
  )
}

/** Filters it and looks at the output. */
async function filtered(paths: readonly string[]) {
  using dump = openDump(paths)
  const sink = makeMemorySink()
  const result = await filterDump(dump, sink, { level: 0, format: 'kdump', threads: 0 })
  const [output = ''] = write(sink.bytes())
  using again = openDump(output)
  return { result, pages: pagesOf(again), status: again.kdump?.status }
}

/** Pages 8 to 23 and 32 to 47, each filled with its number. */
const elf = (header = {}): Uint8Array =>
  makeElfCore({
    header,
    noteAreas: [makeVmcoreinfo('OSRELEASE=7.2.0\nPAGESIZE=4096\n')],
    segments: [8, 32].map((first) => ({
      physical: first * page,
      data: Buffer.concat(Array.from({ length: 16 }, (_, i) => filledPage(first + i))),
    })),
  })
const elfData = elf().length - 32 * page

const kdump = (options: Partial<KdumpOptions> = {}): Uint8Array =>
  makeKdump({
    pages: [1, 2, 3, 10, 11, 12].map((pfn) => ({ pfn })),
    excluded: [4, 5],
    maxMapnr: 16,
    notes: makeVmcoreinfo('OSRELEASE=7.2.0\nPAGESIZE=4096\n'),
    sub: { dumpLevel: 1 },
    ...options,
  })
/** Header, sub-header, two bitmaps, and behind the descriptors of six pages the data. */
const [descriptorsAt, dataAt] = [4 * page, 4 * page + 6 * 24]

describe('an ELF dump', () => {
  it('that is cut gives what is before the cut, and lists the rest', async () => {
    const paths = write(elf().subarray(0, elfData + 20 * page + 100))
    using dump = openDump(paths)
    const cut = 36 * page + 100
    expect(dump.lost()).toMatchObject({
      size: 48 * page - cut,
      ranges: [{ start: cut, end: 48 * page, reason: 'cut short' }],
    })
    const { result, pages, status } = await filtered(paths)
    expect(result).toMatchObject({ incomplete: true, missing: { size: 48 * page - cut } })
    expect(pages).toEqual([...range(8, 24), ...range(32, 36)])
    expect(status).toBe(8)
    const text = renderFilterResult(result)
    expect(text).toContain('missing in the source      size  reason')
    expect(text).toContain('0x24064-0x30000        47.9 KiB  cut short')
  })

  it('that is cut is refused with --strict, before anything is written', async () => {
    using dump = openDump(write(elf().subarray(0, elfData + page)))
    const sink = makeMemorySink()
    const strict = { level: 0, format: 'kdump', threads: 0, strict: true } as const
    await expect(filterDump(dump, sink, strict)).rejects.toMatchObject({
      code: 'FORMAT',
      exitCode: 3,
      found: expect.stringContaining('is cut short'),
    })
    expect(sink.writes).toEqual([])
  })

  it('that was marked incomplete is read, and stays marked', async () => {
    const { result, pages, status } = await filtered(write(elf({ flags: 1 })))
    expect(result).toMatchObject({ incomplete: true, missing: { size: 0, ranges: [] } })
    expect(result.warnings.map(({ code }) => code)).toContain('INCOMPLETE')
    expect(pages).toHaveLength(32)
    expect(status).toBe(8)
  })
})

describe('a kdump file', () => {
  it('whose disk was full lacks the pages without a place', async () => {
    const bytes = kdump({ header: { status: 8 } })
    // The last two descriptors are zero, as makedumpfile leaves them.
    bytes.fill(0, descriptorsAt + 4 * 24, dataAt)
    const paths = write(bytes)
    using dump = openDump(paths)
    expect(dump.lost()).toMatchObject({
      size: 2 * page,
      ranges: [{ start: 11 * page, end: 13 * page, reason: 'not written' }],
    })
    const { result, pages } = await filtered(paths)
    expect(result).toMatchObject({ incomplete: true, missing: { size: 2 * page } })
    expect(pages).toEqual([1, 2, 3, 10])
  })

  it('cut in its data or its descriptors has the pages before the cut', async () => {
    for (const [length, there, start] of [
      [dataAt + 4 * page, [1, 2, 3, 10], 11],
      [dataAt + 2 * page - 1, [1], 2],
      [descriptorsAt + 3 * 24 - 1, [], 1],
    ] as const) {
      const paths = write(kdump().subarray(0, length))
      using dump = openDump(paths)
      expect(pagesOf(dump), `${length}`).toEqual(there)
      expect(dump.warnings.map(({ code }) => code)).toEqual(['TRUNCATED'])
      const { ranges } = dump.lost()
      expect(ranges[0]).toMatchObject({ start: start * page, reason: 'cut short' })
      expect(ranges.at(-1)).toMatchObject({ end: 13 * page, reason: 'cut short' })
      const { result, pages } = await filtered(paths)
      expect(result.incomplete).toBe(true)
      expect(pages).toEqual(there)
    }
  })

  it('cut in its bitmaps still has its notes', () => {
    for (const length of [2 * page, 3 * page - 7, 4 * page - 7]) {
      using dump = openDump(write(kdump().subarray(0, length)))
      expect(dump.vmcoreinfo).toContain('OSRELEASE=7.2.0')
      expect(dump.kdump?.utsname.release).toBe('7.2.0')
      expect(dump.warnings.map(({ code }) => code)).toEqual(['TRUNCATED'])
      expect(pagesOf(dump)).toEqual([])
    }
  })

  it('of a split set is read without the parts that are missing', async () => {
    const parts = [
      { start: 0, end: 3 },
      { start: 3, end: 11 },
      { start: 11, end: 16 },
    ].map((part) => kdump({ part }))
    const [a, b, c] = parts as [Uint8Array, Uint8Array, Uint8Array]
    for (const { given, there, lost } of [
      {
        given: [a, c],
        there: [1, 2, 11, 12],
        lost: [
          { start: 3, end: 4 },
          { start: 10, end: 11 },
        ],
      },
      {
        given: [b],
        there: [3, 10],
        lost: [
          { start: 1, end: 3 },
          { start: 11, end: 13 },
        ],
      },
    ]) {
      const paths = write(...given)
      using dump = openDump(paths)
      expect(pagesOf(dump)).toEqual(there)
      expect(dump.lost().ranges).toEqual(
        lost.map(({ start, end }) => ({ start: start * page, end: end * page, reason: 'part missing' })),
      )
      const { result, pages } = await filtered(paths)
      expect(result.incomplete).toBe(true)
      expect(pages).toEqual(there)
    }
  })
})

it('parts of a split dump make no whole without the one that is missing', async () => {
  const paths = write(kdump({ part: { start: 0, end: 3 } }), kdump({ part: { start: 11, end: 16 } }))
  await expect(reassemble(paths, join(makeFolder(), 'out'))).rejects.toMatchObject({
    code: 'FORMAT',
    expected: 'a file with the pages 0x3 to 0xb',
  })
})

describe('a flattened stream', () => {
  const records = (bytes: Uint8Array): [number, Uint8Array][] =>
    Array.from({ length: Math.ceil(bytes.length / 10000) }, (_, i) => [
      i * 10000,
      bytes.subarray(i * 10000, (i + 1) * 10000),
    ])

  it.each([
    ['ELF', elf(), [...range(8, 24), ...range(32, 48)]],
    ['kdump', kdump(), [1, 2, 3, 10, 11, 12]],
  ] as const)('of %s without its end record has everything', async (_, bytes, there) => {
    const { result, pages } = await filtered(write(makeFlattened(records(bytes), { endBytes: 0 })))
    expect(result).toMatchObject({ incomplete: true, missing: { size: 0 } })
    expect(pages).toEqual(there)
  })

  it.each([
    ['ELF', elf(), [...range(8, 24), ...range(32, 47)]],
    ['kdump', kdump(), [1, 2, 3, 10, 11]],
  ] as const)('of %s that breaks off has what came before', async (_, bytes, there) => {
    const stream = makeFlattened(records(bytes), { endBytes: 0 })
    const { result, pages } = await filtered(write(stream.subarray(0, stream.length - 100)))
    expect(result.incomplete).toBe(true)
    expect(result.missing.ranges.at(-1)).toMatchObject({ end: (there.at(-1) ?? 0) * page + 2 * page })
    expect(pages).toEqual(there)
  })
})

it('a real kernel dump that is cut says which memory it lost', () => {
  const whole = readFileSync(fixture('x86_64-6.1-debian/vmcore.kdump'))
  using before = openDump(fixture('x86_64-6.1-debian/vmcore.kdump'))
  using dump = openDump(write(whole.subarray(0, Math.floor(whole.length / 2))))
  const { size, ranges } = dump.lost()
  const [all, left] = [before, dump].map(({ memory }) => memory.storedPages(page).count())
  expect(size).toBe(((all ?? 0) - (left ?? 0)) * page)
  expect(ranges.every(({ reason }) => reason === 'cut short')).toBe(true)
  expect(dump.vmcoreinfo).toBe(before.vmcoreinfo)
})

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}
