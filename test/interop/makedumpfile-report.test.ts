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

const writeBytes = (lines: readonly string[]): number =>
  Number(lines.find((line) => line.startsWith('Write bytes     : '))?.slice(18))

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
    // Versions before 1.7.9 have no line for extensions.
    const isCompared = (line: string): boolean => !/^$|Extension|Write bytes/.test(line)
    expect(ours.filter(isCompared)).toEqual(theirs.filter(isCompared))
    // Program headers makedumpfile writes twice, and 1.7.9 counts 16 bytes that are nowhere in the file.
    const [our = 0, their = 0] = [ours, theirs].map(writeBytes)
    if (format === 'kdump') expect([our, our + 16]).toContain(their)
    expect(ours[0]).toBe('')
    expect(ours).toHaveLength(format === 'kdump' ? 18 : 20)
  })
})
