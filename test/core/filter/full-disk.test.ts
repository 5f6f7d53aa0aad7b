// A destination that is full: what fits is a dump, says that it is incomplete, and nothing in it is wrong.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NoSpaceError } from '../../../src/core/errors.ts'
import { type FilterOptions, type FilterResult, filterDump } from '../../../src/core/filter/index.ts'
import { filterToFile } from '../../../src/core/filter/output.ts'
import { reassemble } from '../../../src/core/filter/reassemble.ts'
import { filterToParts } from '../../../src/core/filter/split.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { filterFile } from '../../make/filtered.ts'
import { makeFolder } from '../../make/folder.ts'

const small = fixture('x86_64-7.2-small/vmcore')
const pageSize = 4096

async function filter(options: Partial<Parameters<typeof filterToFile>[2]>) {
  const output = join(makeFolder(), 'out')
  using dump = openDump(small)
  const work = { format: 'kdump', codec: 'zlib', level: 31, ...options } as const
  const outcome = await filterToFile(dump, output, work).catch((error: unknown) => error)
  return { output, outcome, left: readdirSync(dirname(output)) }
}

/** Every page of an incomplete dump is the source's; returns how many there are. */
function checkPages(path: string): number {
  using dump = openDump(path)
  using source = openDump(small)
  expect(dump.warnings.map(({ code }) => code)).toContain('INCOMPLETE')
  const stored = dump.memory.storedPages(pageSize)
  const [ours, theirs] = [new Uint8Array(pageSize), new Uint8Array(pageSize)]
  for (const run of stored.runs()) {
    for (let pfn = run.start; pfn < run.end; pfn++) {
      dump.memory.read(pfn * pageSize, ours)
      source.memory.read(pfn * pageSize, theirs)
      expect(Buffer.compare(ours, theirs), `page ${pfn}`).toBe(0)
    }
  }
  return stored.count()
}

describe.each([
  ['kdump', {}],
  ['ELF', { format: 'elf', codec: undefined }],
] as const)('%s output with a size limit', (_, options: Partial<FilterOptions>) => {
  it('keeps what fits, under a name that says so', async () => {
    const whole = await filterFile(small, { level: 31, codec: 'zlib', ...options })
    const size = whole.bytes.length
    let earlier = 0
    for (const share of [0.1, 0.5, 0.99, 1 - 1 / size]) {
      const sizeLimit = Math.floor(size * share)
      const { outcome, left, output } = await filter({ ...options, sizeLimit })
      expect(outcome).toBeInstanceOf(NoSpaceError)
      expect(left).toEqual(['out.incomplete'])
      expect(statSync(`${output}.incomplete`).size).toBeLessThanOrEqual(sizeLimit)
      const pages = checkPages(`${output}.incomplete`)
      expect((outcome as NoSpaceError).message).toContain(
        `${pages} of ${whole.result.storedPages} pages are in ${output}.incomplete`,
      )
      expect(pages).toBeGreaterThanOrEqual(earlier)
      earlier = pages
    }
    expect(earlier).toBeGreaterThan(0.9 * whole.result.storedPages)
  })

  it('is untouched by a limit that it just meets', async () => {
    const whole = await filterFile(small, { level: 31, codec: 'zlib', ...options })
    const { outcome, left } = await filter({ ...options, sizeLimit: whole.bytes.length })
    expect(outcome).toMatchObject({ incomplete: false, outputSize: whole.bytes.length })
    expect(left).toEqual(['out'])
  })

  it('is not there when not even its headers fit', async () => {
    const { outcome, left } = await filter({ ...options, sizeLimit: 3000 })
    expect(outcome).toBeInstanceOf(NoSpaceError)
    expect(left).toEqual([])
  })
})

describe('an incomplete kdump file', () => {
  it('has the descriptors of all pages, those of lost ones zero, and status 0x8', async () => {
    const { output } = await filter({ sizeLimit: 2_000_000 })
    const bytes = readFileSync(`${output}.incomplete`)
    expect(bytes.readUInt32LE(424)).toBe(0x9)
    // By hand: header block, 2 blocks of sub-header and notes, a block a bitmap of 32768 pages.
    const descriptorsAt = 5 * pageSize
    let lost = false
    for (let i = 0; i < 8178; i++) {
      const descriptor = bytes.subarray(descriptorsAt + 24 * i, descriptorsAt + 24 * (i + 1))
      const isZero = descriptor.every((byte) => byte === 0)
      if (lost) expect(isZero, `descriptor ${i}`).toBe(true)
      else if (!isZero) {
        const end = Number(descriptor.readBigUInt64LE(0)) + descriptor.readUInt32LE(8)
        expect(end).toBeLessThanOrEqual(bytes.length)
      }
      lost = isZero
    }
    expect(lost).toBe(true)
  })

  it('does not replace one that is there', async () => {
    const { output } = await filter({ sizeLimit: 2_000_000 })
    using dump = openDump(small)
    const again = filterToFile(dump, output, { format: 'kdump', level: 31, sizeLimit: 1_000_000 })
    await expect(again).rejects.toThrow(`${output}.incomplete.2`)
    expect(readdirSync(dirname(output))).toEqual(['out.incomplete', 'out.incomplete.2'])
  })
})

describe('several dump levels', () => {
  it('are tried until the output fits', async () => {
    const { result: at31 } = await filterFile(small, { level: 31, codec: 'zlib' })
    const { outcome, left } = await filter({
      level: 0,
      nextLevels: [1, 31],
      sizeLimit: at31.outputSize,
    })
    expect(outcome).toMatchObject({ level: 31, requestedLevel: 31, incomplete: false })
    expect((outcome as FilterResult).warnings.map(({ code }) => code)).toEqual(['NEXT_LEVEL', 'NEXT_LEVEL'])
    expect(left).toEqual(['out'])
  })

  it('leave what fits of the last one', async () => {
    const { outcome, left, output } = await filter({ level: 1, nextLevels: [31], sizeLimit: 2_000_000 })
    expect(outcome).toBeInstanceOf(NoSpaceError)
    expect(left).toEqual(['out.incomplete'])
    using dump = openDump(`${output}.incomplete`)
    expect(dump.kdump?.dumpLevel).toBe(31)
  })

  it('serve a flattened file, too', async () => {
    const { result: at31 } = await filterFile(small, { level: 31, codec: 'zlib' })
    // Record headers: 16 bytes each.
    const sizeLimit = at31.outputSize + 10_000
    const { outcome, left } = await filter({ flattened: true, level: 0, nextLevels: [31], sizeLimit })
    expect(outcome).toMatchObject({ level: 31, flattened: true })
    expect(left).toEqual(['out'])
  })
})

describe('a flattened file that does not fit', () => {
  it('is not there: nothing could mend it', async () => {
    const { outcome, left } = await filter({ flattened: true, sizeLimit: 2_000_000 })
    expect(outcome).toBeInstanceOf(NoSpaceError)
    expect(left).toEqual([])
  })
})

describe('split output that does not fit', () => {
  it('keeps the parts, which still make a set', async () => {
    const folder = makeFolder()
    const outputs = ['a', 'b'].map((name) => join(folder, name))
    using dump = openDump(small)
    const work = { level: 31, codec: 'zlib', unit: 2 ** 23, sizeLimit: 2_500_000 } as const
    await expect(filterToParts(dump, outputs, work)).rejects.toBeInstanceOf(NoSpaceError)
    expect(readdirSync(folder)).toEqual(['a.incomplete', 'b.incomplete'])
    const parts = outputs.map((output) => `${output}.incomplete`)
    const result = await reassemble(parts, join(folder, 'whole'))
    expect(result.incomplete).toBe(true)
    expect(checkPages(join(folder, 'whole'))).toBe(result.storedPages)
    expect(parts.map((part) => basename(part))).toHaveLength(2)
  })
})

describe('a disk that fills up anywhere', () => {
  it('leaves a dump of what was written before', async () => {
    const whole = await filterFile(small, { level: 31, codec: 'zlib', threads: 0 })
    const writes = 1 + whole.result.storedPages / 256
    for (let room = 10; room < writes; room += 7) {
      const { sink, bytes } = fillingSink(room)
      using dump = openDump(small)
      const work = { format: 'kdump', codec: 'zlib', level: 31, threads: 0 } as const
      const result = await filterDump(dump, sink, work)
      expect(result.incomplete).toBe(true)
      // What stands there is what a whole dump has there, but for descriptors and the status word.
      const data = whole.view.getBigUint64(5 * pageSize, true)
      const [from, to] = [Number(data), bytes().length]
      expect(Buffer.compare(bytes().subarray(from, to), whole.bytes.subarray(from, to))).toBe(0)
    }
  })

  /** Takes `room` writes; those after it only where something is. */
  function fillingSink(room: number) {
    const bytes = new Uint8Array(2 ** 26)
    let [writes, end] = [0, 0]
    const put = async (offset: number, part: Uint8Array): Promise<void> => {
      if (++writes > room && offset + part.length > end) throw new NoSpaceError('disk', 'full', 0)
      bytes.set(part, offset)
      end = Math.max(end, offset + part.length)
    }
    const sink = {
      name: 'disk',
      write: put,
      reserve: (offset: number, length: number) => put(offset, new Uint8Array(length)),
      finish: async (size: number) => {
        end = size
      },
    }
    return { sink, bytes: () => bytes.subarray(0, end) }
  }
})
