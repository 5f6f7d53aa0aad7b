// The numbers of pages left out of real dumps, by kind, as makedumpfile HEAD counts them.

import { describe, expect, it } from 'vitest'
import { startThreads } from '../../../src/core/filter/pipeline.ts'
import { planFilter } from '../../../src/core/filter/plan.ts'
import { makeStatistics } from '../../../src/core/filter/statistics.ts'
import { findZeroPages } from '../../../src/core/filter/zero-pass.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture, makedumpfileCounts } from '../../fixtures/index.ts'
import { makedumpfileReport } from '../../make/makedumpfile-report.ts'

async function count(path: string, level: number) {
  using dump = openDump(path)
  const plan = planFilter(dump, { level })
  let zeroPages = 0
  const work = { pageSize: plan.pageSize, wanted: plan.keep }
  await using threads = startThreads(dump, undefined)
  if ((level & 1) !== 0) await findZeroPages(dump, work, { threads }, () => zeroPages++)
  const written = { zeroPages, lostPages: 0, storedPages: 0, size: 0 }
  return makedumpfileReport(makeStatistics(plan, written))
}

describe.each(['ppc64le-7.2-fadump', 'x86_64-7.2-small', 'arm64-7.2-debian'] as const)('%s', (name) => {
  it.each([0, 1, 2, 4, 8, 16, 31] as const)(
    'counts pages as makedumpfile does at level %i',
    async (level) => {
      expect(await count(fixture(`${name}/vmcore`), level)).toEqual(makedumpfileCounts(name, level))
    },
  )
})
