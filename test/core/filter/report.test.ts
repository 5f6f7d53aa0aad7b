// makedumpfile's report, as HEAD printed it for the real dumps.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FilterOptions } from '../../../src/core/filter/index.ts'
import { filterToFile } from '../../../src/core/filter/output.ts'
import { renderReport } from '../../../src/core/filter/report.ts'
import { openDump } from '../../../src/formats/index.ts'
import { expectedText, fixture } from '../../fixtures/index.ts'
import { makeFolder } from '../../make/folder.ts'

async function report(path: string, options: Partial<FilterOptions> = {}): Promise<string[]> {
  using dump = openDump(path)
  const output = join(makeFolder(), 'out')
  return renderReport(await filterToFile(dump, output, { level: 31, format: 'kdump', ...options })).split(
    '\n',
  )
}

describe("makedumpfile's report", () => {
  it.each([
    ['x86_64-7.2-small', 31],
    ['x86_64-7.2-small', 8],
    ['ppc64le-7.2-fadump', 31],
  ] as const)('of %s at level %i has the lines that makedumpfile printed', async (name, level) => {
    const theirs = expectedText(name, `makedumpfile-d${level}.txt`).trimEnd().split('\n')
    const ours = await report(fixture(`${name}/vmcore`), { level })
    expect(ours.filter((line) => line !== '' && !line.startsWith('-') && !line.startsWith('Write'))).toEqual(
      theirs,
    )
  })

  it('of an ELF file says how many pages it has, short holes stored and all', async () => {
    const lines = await report(fixture('x86_64-7.2-small/vmcore'), { format: 'elf' })
    const numbers = lines
      .filter((line) => line.includes('in ELF format'))
      .map((line) => Number(line.split(':')[1]))
    expect(numbers).toHaveLength(2)
    expect((numbers[0] as number) + (numbers[1] as number)).toBe(24544)
    expect(numbers[1]).toBeGreaterThan(6787)
    expect(lines).toContain(
      `  (The number of pages is reduced to ${Math.floor(((numbers[1] as number) * 100) / 24544)}%.)`,
    )
  })
})
