import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { Bitmap } from '../../../src/core/bitmap.ts'
import { reassemble } from '../../../src/core/filter/reassemble.ts'
import { filterToParts, type SplitOptions, splitPages } from '../../../src/core/filter/split.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { filterFile } from '../../make/filtered.ts'
import { makeFolder } from '../../make/folder.ts'

const small = fixture('x86_64-7.2-small/vmcore')
const unit = 8 * MiB

async function split(parts: number, options: Partial<SplitOptions> = {}) {
  const folder = makeFolder()
  const outputs = Array.from({ length: parts }, (_, i) => join(folder, `part${i}`))
  using dump = openDump(small)
  const result = await filterToParts(dump, outputs, { level: 31, codec: 'zlib', unit, ...options })
  return { folder, outputs, result }
}

describe('a dump split into parts', () => {
  it('reads back like the whole one, its parts in any order', async () => {
    const { outputs, result } = await split(3)
    const whole = await filterFile(small, { level: 31, codec: 'zlib' })
    using dump = openDump(outputs.toReversed())
    const stored = dump.memory.storedPages(4096)
    expect(Buffer.compare(stored.bytes, whole.dump.memory.storedPages(4096).bytes)).toBe(0)
    expect(result.pages).toEqual(whole.result.pages)
    const [ours, theirs] = [new Uint8Array(4096), new Uint8Array(4096)]
    for (const run of stored.runs()) {
      for (let pfn = run.start; pfn < run.end; pfn++) {
        dump.memory.read(pfn * 4096, ours)
        whole.dump.memory.read(pfn * 4096, theirs)
        expect(Buffer.compare(ours, theirs)).toBe(0)
      }
    }
  })

  it('says what is in which file', async () => {
    const { outputs, result } = await split(3)
    expect(result.parts.map(({ output }) => output)).toEqual(outputs)
    expect(result.parts.map(({ outputSize }) => outputSize)).toEqual(
      outputs.map((output) => readFileSync(output).length),
    )
    expect(result.parts[0]?.startPfn).toBe(0)
    expect(result.parts.map(({ endPfn }) => endPfn)).toEqual([
      ...result.parts.slice(1).map(({ startPfn }) => startPfn),
      result.pages.total,
    ])
  })

  it.each([0, 1, 5])('does not depend on the number of threads: %i', async (threads) => {
    const [one, other] = [await split(2, { threads: 2 }), await split(2, { threads })]
    for (const [i, output] of one.outputs.entries()) {
      expect(Buffer.compare(readFileSync(output), readFileSync(other.outputs[i] as string))).toBe(0)
    }
  })

  it('leaves nothing behind when one of its files cannot be made', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'there'), '')
    using dump = openDump(small)
    const outputs = [join(folder, 'a'), join(folder, 'there'), join(folder, 'c')]
    await expect(filterToParts(dump, outputs, { level: 31 })).rejects.toMatchObject({ code: 'TARGET' })
    expect(() => readFileSync(outputs[0] as string)).toThrow(/ENOENT/)
  })

  it.each([0, 4096 * 63, 4096.5])('refuses to end parts at multiples of %d bytes', async (bytes) => {
    await expect(split(2, { unit: bytes })).rejects.toMatchObject({ code: 'USAGE' })
  })
})

describe('a dump put together again', () => {
  it.each([1, 2, 4])('is the file that was not split, from %i parts', async (parts) => {
    const { folder, outputs } = await split(parts)
    const whole = await filterFile(small, { level: 31, codec: 'zlib' })
    const output = join(folder, 'whole')
    const result = await reassemble(outputs.toReversed(), output)
    expect(Buffer.compare(readFileSync(output), whole.bytes)).toBe(0)
    expect(result).toMatchObject({
      parts: outputs,
      storedPages: whole.result.storedPages,
      outputSize: whole.bytes.length,
      incomplete: false,
    })
  })

  it('keeps what is left of a part that was cut short, and says so', async () => {
    const { folder, outputs, result } = await split(2)
    const second = readFileSync(outputs[1] as string)
    writeFileSync(outputs[1] as string, second.subarray(0, second.length - 5000))
    const output = join(folder, 'whole')
    const together = await reassemble(outputs, output)
    expect(together.incomplete).toBe(true)
    expect(together.lostPages).toBeGreaterThan(0)
    expect(together.storedPages).toBe(result.storedPages - together.lostPages)
    using dump = openDump(output)
    expect(dump.memory.storedPages(4096).count()).toBe(together.storedPages)
    expect(dump.warnings.map(({ code }) => code)).toEqual(['INCOMPLETE'])
  })

  it('needs all parts', async () => {
    const { folder, outputs } = await split(3)
    await expect(reassemble(outputs.slice(1), join(folder, 'whole'))).rejects.toMatchObject({
      code: 'FORMAT',
    })
  })
})

describe('the borders of parts', () => {
  const bits = (length: number, set: readonly number[]): Bitmap => {
    const bitmap = new Bitmap(length)
    for (const bit of set) bitmap.set(bit)
    return bitmap
  }

  it('stand where each part has its share of the pages', () => {
    // 6 pages, so 3 a part: the first has them at the end of its second unit.
    const keep = bits(300, [1, 2, 64, 130, 190, 299])
    expect(splitPages(keep, 2, 64)).toEqual([
      { start: 0, end: 128 },
      { start: 128, end: 300 },
    ])
  })

  it('leave the last parts empty when there are too few units', () => {
    expect(splitPages(bits(100, [5, 6, 7]), 3, 128)).toEqual([
      { start: 0, end: 100 },
      { start: 100, end: 100 },
      { start: 100, end: 100 },
    ])
  })

  it('cover all pages without gaps', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2000 }),
        fc.array(fc.nat(1999)),
        fc.integer({ min: 1, max: 9 }),
        (length, set, parts) => {
          const keep = bits(
            length,
            set.filter((bit) => bit < length),
          )
          const ranges = splitPages(keep, parts, 64)
          expect(ranges.map(({ start }) => start)).toEqual([0, ...ranges.slice(0, -1).map(({ end }) => end)])
          expect(ranges).toHaveLength(parts)
          expect(ranges.at(-1)?.end).toBe(length)
          for (const { start } of ranges) expect(start === length || start % 64 === 0).toBe(true)
        },
      ),
    )
  })
})
