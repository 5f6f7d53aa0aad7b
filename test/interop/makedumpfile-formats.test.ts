// Files that makedumpfile writes, in all its forms, and what we read in them; a flattened stream of ours,
// and what makedumpfile and crash make of it.

import { createWriteStream, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { flattenedSink } from '../../src/formats/flattened/writer.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeElfCore, makePrstatus } from '../make/elf-core.ts'
import { makeFolder } from '../make/folder.ts'
import { samplePage } from '../make/sample-page.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const pageSize = 4096
const pageCount = 600

/** Page n of the test's memory: a sample page with its number in it, every fifth page zero. */
function memoryPage(pfn: number): Uint8Array {
  if (pfn % 5 === 4) return new Uint8Array(pageSize)
  const page = samplePage(pageSize)
  // Some that no codec packs: every byte another, none of them near a like one.
  if (pfn % 7 === 0)
    page.set(Buffer.from(Array.from({ length: pageSize }, (_, i) => (i * i * 31 + (i >> 5) * pfn) >> 3)))
  new DataView(page.buffer).setUint32(0, pfn)
  return page
}

const memory = Buffer.concat(Array.from({ length: pageCount }, (_, pfn) => memoryPage(pfn)))

/** An x86_64 core of that memory, with a hole of 8 pages in it. */
const core = makeElfCore({
  noteAreas: [makePrstatus(336)],
  segments: [
    { physical: 0, data: memory.subarray(0, 400 * pageSize), virtual: 0xffff_8880_0000_0000n },
    { physical: 408 * pageSize, data: memory.subarray(408 * pageSize), virtual: 0xffff_8880_0019_8000n },
  ],
})

function expectSameMemory(paths: string | readonly string[]): void {
  using dump = openDump(paths)
  const page = new Uint8Array(pageSize)
  const stored = dump.memory.storedPages(pageSize)
  for (let pfn = 0; pfn < pageCount; pfn++) {
    if (pfn >= 400 && pfn < 408) expect(stored.has(pfn)).toBe(false)
    else {
      dump.memory.read(pfn * pageSize, page)
      const expected = memory.subarray(pfn * pageSize, (pfn + 1) * pageSize)
      expect(Buffer.compare(page, expected), `page ${pfn}`).toBe(0)
    }
  }
  expect(dump.notes).toHaveLength(1)
}

describeWithJudge('makedumpfile', 'makedumpfile', () => {
  let folder = ''
  let source = ''
  const at = (name: string): string => join(folder, name)

  beforeEach(() => {
    folder = makeFolder()
    source = at('core')
    writeFileSync(source, core)
  })

  describe.each([
    ['zlib', '-c'],
    ['lzo', '-l'],
    ['no codec', '-d0'],
  ])('with %s', (_, flag) => {
    it.each([0, 1])('writes a kdump file at level %i that we read', (level) => {
      runJudge('makedumpfile', [flag, '-d', `${level}`, '-f', source, at('kdump')])
      expectSameMemory(at('kdump'))
    })
  })

  it('writes a flattened kdump file that we read', () => {
    writeFileSync(at('flat'), runJudge('makedumpfile', ['-F', '-c', '-d', '1', source]))
    using dump = openDump(at('flat'))
    expect([dump.container, dump.format, dump.warnings]).toEqual(['flattened', 'kdump', []])
    expectSameMemory(at('flat'))
  })

  it('writes a flattened ELF core that we read', () => {
    writeFileSync(at('flat'), runJudge('makedumpfile', ['-F', '-E', '-d', '0', source]))
    using dump = openDump(at('flat'))
    expect([dump.container, dump.format, dump.warnings]).toEqual(['flattened', 'elf', []])
    expectSameMemory(at('flat'))
  })

  it('splits a dump into parts that we read together', () => {
    const parts = [at('part1'), at('part2'), at('part3')]
    const split = ['--split', '--splitblock-size', '512']
    runJudge('makedumpfile', ['-l', '-d', '1', ...split, '-f', source, ...parts])
    expectSameMemory(parts.toReversed())
    using rest = openDump(parts.slice(1))
    expect(rest.warnings.map(({ message }) => message).join()).toContain(
      'a part of the split dump is missing',
    )
  })

  it('is cut short by a size limit and we read what is there', () => {
    // It ends with exit status 1 on purpose.
    expect(() =>
      runJudge('makedumpfile', ['-c', '-d', '0', '-L', '200K', '-f', source, at('short')]),
    ).toThrow(/exit 1/)
    using dump = openDump(at('short'))
    expect(dump.warnings.map(({ code }) => code)).toEqual(['INCOMPLETE'])
    const stored = dump.memory.storedPages(pageSize)
    const page = new Uint8Array(pageSize)
    let pages = 0
    for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1), pages++) {
      dump.memory.read(pfn * pageSize, page)
      expect(Buffer.compare(page, memory.subarray(pfn * pageSize, (pfn + 1) * pageSize)), `page ${pfn}`).toBe(
        0,
      )
    }
    expect(pages).toBeGreaterThan(50)
    expect(pages).toBeLessThan(500)
  })

  it('puts our flattened stream together to the byte', async () => {
    await flatten(core, at('ours.flat'))
    runJudge('makedumpfile', ['-R', '-f', at('rearranged')], readFileSync(at('ours.flat')))
    expect(Buffer.compare(readFileSync(at('rearranged')), core)).toBe(0)
  })
})

describeWithJudge('crash', 'crash', () => {
  it('reads a flattened stream of ours', async () => {
    const path = join(makeFolder(), 'flat')
    await flatten(readFileSync(fixture('x86_64-6.1-debian/vmcore.kdump')), path)
    expect(runJudge('crash', ['--osrelease', path]).toString()).toBe('6.1.0-55-cloud-amd64\n')
  })
})

/** Write a file as a flattened stream: its beginning, as crash needs it, then the back half first. */
async function flatten(file: Uint8Array, path: string): Promise<void> {
  const stream = createWriteStream(path)
  const sink = flattenedSink(stream)
  const step = 100_000
  const offsets = Array.from({ length: Math.ceil(file.length / step) }, (_, i) => i * step)
  const half = offsets.length >> 1
  for (const offset of [0, ...offsets.slice(half), ...offsets.slice(1, half)]) {
    await sink.write(offset, file.subarray(offset, offset + step))
  }
  await sink.finish(file.length)
  stream.end()
  await finished(stream)
}
