// Filtering: a dump goes in, a smaller one comes out. The plan says which pages stay, the pipeline
// reads and packs them, an output gives them their places in a sink.

import type { Dump } from '../../formats/dump.ts'
import type { LostMemory } from '../../formats/lost.ts'
import type { ByteSink } from '../byte-sink.ts'
import type { CodecName } from '../codecs/codec.ts'
import type { NoSpaceError, Warning } from '../errors.ts'
import type { MapDamage } from '../kernel/page-sanity.ts'
import { writeElf } from './elf-output.ts'
import { notErased } from './erase.ts'
import { writeKdump } from './kdump-output.ts'
import { type PipelineOptions, startThreads } from './pipeline.ts'
import { type FilterPlan, type PlanOptions, planFilter } from './plan.ts'
import { makeStatistics, type PageStatistics, type Written } from './statistics.ts'

export interface FilterOptions extends PlanOptions, Omit<PipelineOptions, 'threads'> {
  readonly format: 'kdump' | 'elf'
  /** Packs each page of a kdump file; left out, pages are stored as they are. */
  readonly codec?: CodecName | undefined
  /** Of the codec, 1 to 9 or so; makedumpfile's when undefined. */
  readonly compressionLevel?: number | undefined
  /** Of an ELF file: left-out pages in a row that become a hole; fewer are stored. */
  readonly shortestHole?: number | undefined
  /** Worker threads; 0 works on this one. By default one a core, at most 8, and 0 for small dumps. */
  readonly threads?: number | undefined
  /** The sink flattens; only told in the result. */
  readonly flattened?: boolean
}

export interface FilterResult {
  readonly source: string
  readonly output: string
  readonly flattened: boolean
  readonly format: 'kdump' | 'elf'
  readonly codec: string | null
  readonly requestedLevel: number
  /** That the source was filtered with, 0 when it was not. */
  readonly sourceLevel: number
  /** Both together. */
  readonly level: number
  /** Bytes. */
  readonly pageSize: number
  readonly pages: PageStatistics
  /** Page frames whose first byte the output holds; zero pages that share their bytes count, lost ones do not. */
  readonly storedPages: number
  /** Bytes. */
  readonly memorySize: number
  readonly outputSize: number
  /** Bytes that were written: without unwritten parts of the output, with all that a flattened stream carries. */
  readonly writtenBytes: number
  /** Pages are missing or could not be judged, or data are there that should be erased; `warnings` says why. */
  readonly incomplete: boolean
  /** Where the source's struct pages were overwritten; null when they were not. */
  readonly damage: MapDamage | null
  /** Memory that the source should hold and does not. */
  readonly missing: LostMemory
  readonly warnings: readonly Warning[]
}

/**
 * Filter a dump into `sink`, and finish the sink. The threads open the dump by its paths.
 * @throws {DumpError} the dump cannot be filtered at that level, or reading or writing failed
 */
export async function filterDump(dump: Dump, sink: ByteSink, options: FilterOptions): Promise<FilterResult> {
  return (await filterInto(dump, sink, options)).result
}

/** As filterDump; says whether a sink that can be mended was full. */
export async function filterInto(
  dump: Dump,
  sink: ByteSink,
  options: FilterOptions,
): Promise<{ readonly result: FilterResult; readonly full: NoSpaceError | undefined }> {
  await using threads = startThreads(dump, options.threads)
  const plan = planFilter(dump, options)
  const write = options.format === 'elf' ? writeElf : writeKdump
  const written = await write(dump, plan, sink, { ...options, threads })
  return { result: makeResult(dump, plan, written, { ...options, output: sink.name }), full: written.full }
}

export function makeResult(
  dump: Dump,
  plan: FilterPlan,
  written: Written,
  options: FilterOptions & { readonly output: string },
): FilterResult {
  const pages = makeStatistics(plan, written)
  return {
    source: dump.name,
    output: options.output,
    flattened: options.flattened ?? false,
    format: options.format,
    codec: options.codec ?? null,
    requestedLevel: options.level,
    sourceLevel: dump.kdump?.dumpLevel ?? 0,
    level: plan.level,
    pageSize: plan.pageSize,
    pages,
    storedPages: written.storedPages,
    memorySize: pages.existing * plan.pageSize,
    outputSize: written.size,
    writtenBytes: written.writtenBytes,
    incomplete: isPartial(plan, written),
    damage: plan.damage ?? null,
    missing: dump.lost(),
    warnings: [...plan.warnings, ...lossWarnings(written)],
  }
}

const isNotErased = ({ code }: Warning): boolean => code === notErased

const isPartial = ({ isCutShort, damage, warnings }: FilterPlan, { lostPages }: Written): boolean =>
  isCutShort || lostPages > 0 || damage !== undefined || warnings.some(isNotErased)

function lossWarnings({ lostPages, full }: Written): Warning[] {
  if (lostPages === 0) return []
  return full === undefined
    ? [{ code: 'LOST_PAGES', message: `${lostPages} pages could not be read and are missing in the output` }]
    : [{ code: full.code, message: `${lostPages} pages are missing in the output: ${full.message}` }]
}
