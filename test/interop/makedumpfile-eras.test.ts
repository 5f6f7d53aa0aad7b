// makedumpfile judges the struct pages of every era: core files of built machines, filtered by it, must
// keep the pages that we keep when told to judge as it does. Debian's is too old for the newer eras;
// MAKEDUMPFILE names another program.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { classifyPages } from '../../src/core/kernel/classify-pages.ts'
import { readDumpPages } from '../../src/core/kernel/dump-pages.ts'
import { openDump } from '../../src/formats/index.ts'
import { parseMakedumpfileCounts } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { pageEras } from '../make/page-eras.ts'
import { makeScenes } from '../make/page-scenes.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const makedumpfile = process.env.MAKEDUMPFILE ?? 'makedumpfile'
const version = /version (\d+)\.(\d+)\.(\d+)/.exec(String(spawnSync(makedumpfile, ['-v']).stdout))
const [major = 0, minor = 0, patch = 0] = (version ?? []).slice(1).map(Number)
const number = major * 10000 + minor * 100 + patch
const knows71 = number >= 10709
const known = knows71 ? pageEras : pageEras.slice(0, 2)

describeWithJudge(makedumpfile, `${makedumpfile} ${version?.[0] ?? ''} and we`, () => {
  it.each(known)('keep the same pages of Linux $name', (era) => {
    const folder = makeFolder()
    const input = join(folder, 'vmcore')
    const { machine, scenes } = makeScenes(era)
    // makedumpfile 1.7.2 took a slab page for anonymous memory.
    const slab = scenes.find(({ name }) => name.startsWith('slab'))
    if (number < 10703 && slab !== undefined) machine.setPage(slab.pfn, {})
    writeFileSync(input, machine.elfCore())
    const kernel = machine.open()
    const pages = readDumpPages(kernel.dump.memory, kernel.pageSize)
    for (const level of [2, 4, 8, 16, 30]) {
      const output = join(folder, `d${level}`)
      const report = runJudge(makedumpfile, ['-d', String(level), '--message-level', '16', input, output])
      const theirs = parseMakedumpfileCounts(report.toString())
      const ours = classifyPages(kernel, { level, pages, likeMakedumpfile: true })
      expect(theirs, `level ${level}`).toMatchObject({ ...ours.counts, remaining: ours.keep.count() })
      using kept = openDump(output)
      expect(Buffer.from(kept.memory.storedPages(4096).bytes).equals(ours.keep.bytes)).toBe(true)
    }
  })

  if (!knows71) describe.skip(`newer eras (skipped: ${makedumpfile} is older than 1.7.9)`, () => {})
})
