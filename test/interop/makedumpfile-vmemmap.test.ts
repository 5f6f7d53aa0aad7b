// `makedumpfile -e`: what it leaves out we leave out. It wants two pages of struct pages in a row, we
// take one, too.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MiB } from '../../src/core/address.ts'
import { planFilter } from '../../src/core/filter/plan.ts'
import { openDump } from '../../src/formats/index.ts'
import { makeBenchDump } from '../bench/make-dump.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

describeWithJudge('makedumpfile', 'makedumpfile -e', () => {
  it('leaves out no page of the memory map that we keep', () => {
    const folder = makeFolder()
    const [source, output] = [join(folder, 'vmcore'), join(folder, 'out')]
    makeBenchDump(source, { bytes: 512 * MiB, sparse: true })
    runJudge('makedumpfile', ['-e', '--work-dir', folder, '-d', '30', source, output])
    using dump = openDump(source)
    using written = openDump(output)
    const theirs = written.memory.storedPages(4096)
    const ours = planFilter(dump, { level: 30, leaveOutUnusedStructPages: true })
    const before = planFilter(dump, { level: 30 })
    const missing = (left: { has(pfn: number): boolean }): number[] =>
      Array.from({ length: before.keep.length }, (_, pfn) => pfn).filter(
        (pfn) => before.keep.has(pfn) && !left.has(pfn),
      )
    const kept = new Set(missing(ours.keep))
    expect(missing(theirs).length).toBeGreaterThan(10)
    for (const pfn of missing(theirs)) expect(kept.has(pfn)).toBe(true)
  })
})
