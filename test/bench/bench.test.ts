// The benchmark tells the truth: its dump is what it says, it compares what was written, it divides the
// right way round. How fast anything is, no test judges.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { MiB } from '../../src/core/address.ts'
import { parseMakedumpfileCounts } from '../fixtures/index.ts'
import { describeWithJudge, runJudge } from '../interop/judge.ts'
import { makeElfCore, makePrstatus } from '../make/elf-core.ts'
import { makeFolder } from '../make/folder.ts'
import { makeBenchDump } from './make-dump.ts'
import { median, type Run } from './measure.ts'
import { renderPlot } from './plot.ts'
import { race } from './race.ts'
import { renderRaces } from './report.ts'
import { compareDumps } from './same-pages.ts'

const run = (wallMs: number): Run => ({ wallMs, cpuMs: 2 * wallMs, residentBytes: 64 * MiB })

describe('two dumps', () => {
  const write = (folder: string, name: string, pages: readonly number[]): string => {
    const data = Buffer.concat(pages.map((byte) => Buffer.alloc(4096, byte)))
    const core = makeElfCore({ noteAreas: [makePrstatus(336)], segments: [{ physical: 0, data }] })
    writeFileSync(join(folder, name), core)
    return join(folder, name)
  }

  it('are the same when every page is, and the pages are counted', () => {
    const folder = makeFolder()
    expect(compareDumps(write(folder, 'a', [1, 2, 3]), write(folder, 'b', [1, 2, 3]))).toBe(3)
  })

  it('are not the same when a page differs, or only one has it', () => {
    const folder = makeFolder()
    const [one, other, longer] = [
      write(folder, 'one', [1, 2]),
      write(folder, 'other', [1, 3]),
      write(folder, 'longer', [1, 2, 3]),
    ] as const
    expect(() => compareDumps(one, other)).toThrow('page 0x1 of')
    expect(() => compareDumps(one, longer)).toThrow(`page 0x2 is in ${longer} only`)
    expect(() => compareDumps(longer, one)).toThrow(`page 0x2 is in ${longer} only`)
  })
})

describe('the report of a race', () => {
  it('gives medians, and how often the slower fits into the faster, run by run', () => {
    const syncMs = [0, 0, 0]
    const text = renderRaces([
      {
        title: '-d 31 lzo',
        entries: [
          { name: 'fadump', runs: [run(1000), run(500), run(2000)], syncMs, outputBytes: 95e6 },
          { name: 'makedumpfile', runs: [run(2000), run(1500), run(3000)], syncMs, outputBytes: 100e6 },
        ],
        samePages: 1234,
        failures: ['cat: gone'],
      },
    ])
    expect(text).toContain(
      '| `-d 31 lzo` | fadump | 1.00 | 0.50–2.00 | 2.00 | 0.00 | 64 | 95.0 | **2.00×**, −5.0 % |',
    )
    expect(text).toContain('| makedumpfile | 2.00 | 1.50–3.00 | 4.00 | 0.00 | 64 | 100.0 |  |')
    expect(text).toContain('1 of 1 pairs, 1,234 pages, all equal')
    expect(text).toContain('- `-d 31 lzo`: cat: gone')
  })

  it('takes the middle of the values, or of the two in the middle', () => {
    expect(median([10, 2, 3])).toBe(3)
    expect(median([10, 2, 3, 5])).toBe(4)
  })
})

describe('the plot', () => {
  it('draws each size where it belongs on axes that begin at zero', () => {
    const points = [1, 2].map((gib) => ({ gib, wallMs: gib * 4000, residentBytes: 100 * MiB }))
    const svg = renderPlot(new Map([['fadump', points]]), 'growth')
    // 328 units for 2 GiB from 52, 220 units for 8 s up from 260.
    expect(svg).toContain('points="216.0,150.0 380.0,40.0"')
    // 100 MiB is at the top of its axis.
    expect(svg).toContain('points="216.0,40.0 380.0,40.0"')
  })
})

describeWithJudge('makedumpfile', 'makedumpfile and a dump made for the benchmark', () => {
  it.each([
    ['whole', false],
    ['with holes where pages are left out', true],
  ])('keeps as many pages as were meant to be kept: %s', (_, sparse) => {
    const folder = makeFolder()
    const [source, output] = [join(folder, 'vmcore'), join(folder, 'filtered')]
    const { pages, kept } = makeBenchDump(source, { bytes: 64 * MiB, sparse })
    const report = runJudge('makedumpfile', ['-d', '30', '--message-level', '16', source, output])
    const counts = parseMakedumpfileCounts(report.toString())
    expect(counts).toMatchObject({ original: pages, remaining: kept })
    // 33 MiB are the kernel's own; of the other 7,936 pages about a tenth is kept.
    expect(kept - 8448).toBeGreaterThan(400)
    expect(kept - 8448).toBeLessThan(1200)
  })
})

describeWithJudge('time', 'a race against makedumpfile', () => {
  it('has measured both programs, and compared every page they wrote', () => {
    const folder = makeFolder()
    const source = join(folder, 'vmcore')
    const { kept } = makeBenchDump(source, { bytes: 64 * MiB })
    const result = race({ level: 31, codec: 'lzo' }, { source, rival: 'makedumpfile', runs: 1, folder })
    expect(result.failures).toEqual([])
    expect(result.samePages).toBe(kept)
    expect(result.entries.map(({ name }) => name)).toEqual(['fadump', 'makedumpfile', 'cat'])
    for (const { runs, outputBytes } of result.entries) {
      expect(runs).toHaveLength(1)
      expect(outputBytes).toBeGreaterThan(kept)
    }
  })

  it('goes on without a program that fails, and says why', () => {
    const folder = makeFolder()
    const options = { source: join(folder, 'none'), rival: undefined, runs: 1, folder }
    const { entries, failures } = race({ level: 31, codec: 'lzo' }, options)
    expect(entries).toEqual([])
    expect(failures).toHaveLength(1)
    expect(failures[0]).toMatch(/^fadump: exit \d+: error: .*none/)
  })
})
