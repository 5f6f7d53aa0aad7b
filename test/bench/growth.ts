// Time and memory over the size of the dump: one should be a straight line, the other a flat one.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { GiB } from '../../src/core/address.ts'
import type { BenchCase } from './cases.ts'
import { makeBenchDump } from './make-dump.ts'
import { median } from './measure.ts'
import { type RaceOptions, race } from './race.ts'

export interface Point {
  readonly gib: number
  readonly wallMs: number
  readonly residentBytes: number
}

/** A line for each program. */
export type Growth = ReadonlyMap<string, readonly Point[]>

/** Dumps of those sizes, of which only the pages that are kept take space on the disk. */
export function measureGrowth(
  wanted: BenchCase,
  sizes: readonly number[],
  options: Omit<RaceOptions, 'source'>,
): Growth {
  const growth = new Map<string, Point[]>()
  const source = join(options.folder, 'growth.elf')
  try {
    for (const gib of sizes) {
      makeBenchDump(source, { bytes: gib * GiB, sparse: true })
      for (const { name, runs } of race(wanted, { ...options, source }).entries) {
        if (name === 'cat') continue
        const line = growth.get(name) ?? []
        growth.set(name, line)
        line.push({
          gib,
          wallMs: median(runs.map(({ wallMs }) => wallMs)),
          residentBytes: median(runs.map(({ residentBytes }) => residentBytes)),
        })
      }
    }
  } finally {
    rmSync(source, { force: true })
  }
  return growth
}
