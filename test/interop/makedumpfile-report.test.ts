// The whole report of a filter, and makedumpfile's of the same.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filterDump } from '../../src/core/filter/index.ts'
import { renderReport } from '../../src/core/filter/report.ts'
import { openDump } from '../../src/formats/index.ts'
import { makeFolder } from '../make/folder.ts'
import { makeMemorySink } from '../make/memory-sink.ts'
import { type PageEra, pageEras } from '../make/page-eras.ts'
import { makeScenes } from '../make/page-scenes.ts'
import { describeWithJudge, runJudge } from './judge.ts'

/** From the empty line before it on; without how long things took and what makedumpfile's cache did. */
const reportOf = (text: string): string[] =>
  text
    .slice(text.indexOf('\nOriginal pages'))
    .split('\n')
    .filter((line) => !line.startsWith('Cache hit'))

/** A machine with pages of every kind that makedumpfile judges as we do. */
function writeMachine(path: string): void {
  const { machine, scenes } = makeScenes(pageEras[0] as PageEra)
  for (const { name, pfn } of scenes) if (name.startsWith('slab')) machine.setPage(pfn, {})
  writeFileSync(path, machine.elfCore())
}

/** Bytes; makedumpfile writes each bitmap to the end of its block, we leave that to the file system. */
const bitmapEnds = 2 * (4096 - 0x4000 / 8)

describeWithJudge('makedumpfile', 'makedumpfile --message-level 16', () => {
  it.each([
    ['kdump', 17],
    ['kdump', 1],
    ['elf', 17],
  ] as const)('prints the same report of a dump written as %s, level %i', async (format, level) => {
    const folder = makeFolder()
    const source = join(folder, 'vmcore')
    writeMachine(source)
    const args = ['--message-level', '16', '-d', `${level}`, source, join(folder, 'theirs')]
    if (format === 'elf') args.unshift('-E')
    const theirs = reportOf(runJudge('makedumpfile', args).toString())
    using dump = openDump(source)
    const result = await filterDump(dump, makeMemorySink(), { level, format })
    const writtenBytes = result.writtenBytes + (format === 'kdump' ? bitmapEnds : 0)
    const ours = reportOf(renderReport({ ...result, writtenBytes }))
    // Versions before 1.7.9 have no line for extensions; program headers makedumpfile writes twice.
    const isCompared = (line: string): boolean =>
      line !== '' && !line.includes('Extension') && (format === 'kdump' || !line.startsWith('Write bytes'))
    expect(ours.filter(isCompared)).toEqual(theirs.filter(isCompared))
    expect(ours[0]).toBe('')
    expect(ours).toHaveLength(format === 'kdump' ? 18 : 20)
  })
})
