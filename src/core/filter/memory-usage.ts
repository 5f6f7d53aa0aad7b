// How much of a machine's memory each dump level would leave out, without writing anything.

import type { Dump } from '../../formats/dump.ts'
import type { Warning } from '../errors.ts'
import { highestLevel } from '../kernel/page-kind.ts'
import { type PipelineOptions, startThreads } from './pipeline.ts'
import { planFilter } from './plan.ts'
import { makeStatistics, type PageStatistics } from './statistics.ts'
import { findZeroPages } from './zero-pass.ts'

export interface MemoryUsage {
  readonly source: string
  /** Bytes. */
  readonly pageSize: number
  readonly pages: PageStatistics
  readonly warnings: readonly Warning[]
}

export interface MemoryUsageOptions extends Omit<PipelineOptions, 'threads'> {
  readonly threads?: number | undefined
}

/** @throws {DumpError} the dump does not say where its struct pages are, or cannot be read */
export async function measureMemoryUsage(dump: Dump, options: MemoryUsageOptions): Promise<MemoryUsage> {
  await using threads = startThreads(dump, options.threads)
  const plan = planFilter(dump, { level: highestLevel })
  let zeroPages = 0
  const work = { pageSize: plan.pageSize, wanted: plan.keep }
  await findZeroPages(dump, work, { ...options, threads }, () => zeroPages++)
  const pages = makeStatistics(plan, { zeroPages, lostPages: 0 })
  return { source: dump.name, pageSize: plan.pageSize, pages, warnings: plan.warnings }
}

/** As makedumpfile prints it, of the running kernel alone. Source: makedumpfile 1.7.9, its manual page. */
export function renderMemoryUsage({ pages, pageSize }: MemoryUsage): string {
  const { zero, cache, cachePrivate, user, free, kept, existing } = pages
  const number = (count: number): string => String(count).padEnd(16)
  return [
    '',
    'TYPE\t\tPAGES\t\t\tEXCLUDABLE\tDESCRIPTION',
    '-'.repeat(70),
    `ZERO\t\t${number(zero)}\tyes\t\tPages filled with zero`,
    `NON_PRI_CACHE\t${number(cache)}\tyes\t\tCache pages without private flag`,
    `PRI_CACHE\t${number(cachePrivate)}\tyes\t\tCache pages with private flag`,
    `USER\t\t${number(user)}\tyes\t\tUser process pages`,
    `FREE\t\t${number(free)}\tyes\t\tFree pages`,
    `KERN_DATA\t${number(kept)}\tno\t\tDumpable kernel data `,
    '',
    `page size:\t\t${number(pageSize)}`,
    `Total pages on system:\t${number(existing)}`,
    `Total size on system:\t${number(existing * pageSize)} Byte`,
  ].join('\n')
}
