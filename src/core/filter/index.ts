// Filtering: a dump goes in, a smaller one comes out. The plan says which pages stay, the pipeline
// reads and packs them, an output gives them their places in a sink.

import { openDump } from '../../formats/index.ts'
import type { ByteSink } from '../byte-sink.ts'
import { codecList } from '../codecs/index.ts'
import type { Warning } from '../errors.ts'
import { writeKdump } from './kdump-output.ts'
import type { PipelineOptions } from './pipeline.ts'
import { type PlanOptions, planFilter } from './plan.ts'
import { makeStatistics, type PageStatistics } from './statistics.ts'

/** Path of a dump, or of all parts of a split one. */
export type DumpPath = string | readonly string[]

export interface FilterOptions extends PlanOptions, PipelineOptions {
  readonly format: 'kdump' | 'elf'
  /** Packs each page of a kdump file; left out, pages are stored as they are. */
  readonly codec?: 'zlib' | undefined
}

export interface FilterResult {
  readonly source: string
  readonly format: 'kdump' | 'elf'
  readonly codec: string | null
  readonly requestedLevel: number
  /** With what an earlier filter left out. */
  readonly level: number
  /** Bytes. */
  readonly pageSize: number
  readonly pages: PageStatistics
  /** Page frames whose first byte the output holds; zero pages that share their bytes count. */
  readonly storedPages: number
  /** Bytes. */
  readonly memorySize: number
  readonly outputSize: number
  /** Pages are missing that should be there; `warnings` says why. */
  readonly incomplete: boolean
  readonly warnings: readonly Warning[]
}

/**
 * Filter the dump at `path` into `sink`, and finish the sink.
 * @throws {DumpError} the dump cannot be opened or filtered at that level, or the sink failed
 */
export async function filterDump(
  path: DumpPath,
  sink: ByteSink,
  options: FilterOptions,
): Promise<FilterResult> {
  using dump = openDump(path)
  const plan = planFilter(dump, options)
  const codec = codecList.find(({ name }) => name === options.codec)
  const written = await writeKdump(dump, plan, sink, { ...options, path: dump.paths ?? path, codec })
  const pages = makeStatistics(plan, written)
  return {
    source: dump.name,
    format: options.format,
    codec: options.codec ?? null,
    requestedLevel: options.level,
    level: plan.level,
    pageSize: plan.pageSize,
    pages,
    storedPages: written.storedPages,
    memorySize: pages.existing * plan.pageSize,
    outputSize: written.size,
    incomplete: plan.isCutShort || written.lostPages > 0,
    warnings: [...plan.warnings, ...lossWarnings(written.lostPages)],
  }
}

function lossWarnings(lostPages: number): Warning[] {
  if (lostPages === 0) return []
  const message = `${lostPages} pages could not be read and are missing in the output`
  return [{ code: 'LOST_PAGES', message }]
}
