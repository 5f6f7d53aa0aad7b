// Every dump level there is, makedumpfile's kdump file and ours byte for byte: headers, both bitmaps,
// descriptors, the shared page of zeros and pages in their order, and holes where it leaves gaps.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { BufferSource } from '../../src/core/byte-source.ts'
import { DumpError } from '../../src/core/errors.ts'
import { filterDump } from '../../src/core/filter/index.ts'
import { openDump, openSource } from '../../src/formats/index.ts'
import { makeElfCore, makePrstatus } from '../make/elf-core.ts'
import { makeFolder } from '../make/folder.ts'
import { makeMemorySink } from '../make/memory-sink.ts'
import { type PageEra, pageEras } from '../make/page-eras.ts'
import { machinePages, type PageMachine } from '../make/page-machine.ts'
import { makeScenes } from '../make/page-scenes.ts'
import { samplePage } from '../make/sample-page.ts'
import { describeWithJudge, runJudge } from './judge.ts'

/** Pages of every kind, but no kernel memory that makedumpfile takes for a process's. */
function makeMachine(): PageMachine {
  const { machine, scenes } = makeScenes(pageEras[1] as PageEra)
  for (const { name, pfn } of scenes) if (/looks anonymous|odd$/.test(name)) machine.setPage(pfn, {})
  return machine
}

async function filterBoth(source: string, level: number): Promise<{ ours: Buffer; theirs: Buffer }> {
  const output = join(makeFolder(), 'theirs')
  runJudge('makedumpfile', ['-d', `${level}`, source, output])
  using dump = openDump(source)
  const sink = makeMemorySink()
  await filterDump(dump, sink, { format: 'kdump', level, threads: 0 })
  return { ours: Buffer.from(sink.bytes()), theirs: readFileSync(output) }
}

function writeCore(core: Uint8Array): string {
  const path = join(makeFolder(), 'vmcore')
  writeFileSync(path, core)
  return path
}

describeWithJudge('makedumpfile', 'makedumpfile and we', () => {
  // 2 and 4, which leave out cache pages, with all combinations of the others.
  it.each([0, 2, 4, 6])('write the same bytes at levels %i and on', async (cacheBits) => {
    const source = writeCore(makeMachine().elfCore())
    const sizes = new Set<number>()
    for (const others of [0, 1, 8, 9, 16, 17, 24, 25]) {
      const { ours, theirs } = await filterBoth(source, cacheBits | others)
      sizes.add(theirs.length)
      expect(Buffer.compare(ours, theirs), `level ${cacheBits | others}`).toBe(0)
    }
    expect(sizes.size).toBe(8)
  })

  it('keep a free block of an order that does not exist', async () => {
    const machine = makeMachine()
    const pfn = machinePages - 8
    machine.setPage(pfn, { mapcount: machine.typeOf('buddy'), private: 40n, refcount: 0 })
    const { ours, theirs } = await filterBoth(writeCore(machine.elfCore()), 16)
    expect(Buffer.compare(ours, theirs)).toBe(0)
    using output = openSource(new BufferSource(theirs, 'theirs'))
    expect(output.memory.storedPages(4096).has(pfn)).toBe(true)
  })

  it('leave out only zero pages of a kernel that says nothing of itself', async () => {
    const data = Buffer.concat([new Uint8Array(8192), samplePage(), new Uint8Array(4096)])
    const source = writeCore(
      makeElfCore({ noteAreas: [makePrstatus(336)], segments: [{ physical: 0, data }] }),
    )
    for (const level of [0, 1]) {
      const { ours, theirs } = await filterBoth(source, level)
      // The machine's name, which makedumpfile does not know, is in the first block.
      expect(Buffer.compare(ours.subarray(4096), theirs.subarray(4096)), `level ${level}`).toBe(0)
    }
    for (const level of [2, 4, 8, 16, 31]) {
      using dump = openDump(source)
      expect(() => runJudge('makedumpfile', ['-d', `${level}`, source, `${source}.out`])).toThrow(/exit 1/)
      await expect(filterDump(dump, makeMemorySink(), { format: 'kdump', level })).rejects.toThrow(DumpError)
    }
  })
})
