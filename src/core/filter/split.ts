// One dump as several kdump files, so that several disks write it: headers and bitmaps in each, and the
// pages of one stretch of memory. Source: makedumpfile setup_splitting, writeout_multiple_dumpfiles.

import { resolve } from 'node:path'
import type { Dump } from '../../formats/dump.ts'
import { GiB, type Pfn } from '../address.ts'
import type { Bitmap } from '../bitmap.ts'
import { UsageError } from '../errors.ts'
import { openAll } from '../open-all.ts'
import { fileSink, OutputFile, type OutputOptions } from '../output-file.ts'
import type { Range } from '../ranges.ts'
import { type FilterOptions, type FilterResult, makeResult } from './index.ts'
import { writeKdump } from './kdump-output.ts'
import { checkOutput, keepIncomplete, type NextLevels, tryLevels } from './output.ts'
import { startThreads } from './pipeline.ts'
import { type FilterPlan, planFilter } from './plan.ts'
import type { Written } from './statistics.ts'

export interface SplitOptions extends Omit<FilterOptions, 'format' | 'flattened'>, OutputOptions, NextLevels {
  /** A part ends at a multiple of this, bytes, itself a multiple of 64 pages: crash counts in such groups. */
  readonly unit?: number | undefined
}

export interface SplitResult extends FilterResult {
  readonly parts: readonly SplitPart[]
}

export interface SplitPart {
  readonly output: string
  /** Page frames [start, end). */
  readonly startPfn: Pfn
  readonly endPfn: Pfn
  readonly storedPages: number
  /** Bytes. */
  readonly outputSize: number
}

/**
 * Filter a dump into the files `outputs`, all at once; unless all went well, none is there.
 * @throws {DumpError} as filterToFile; {UsageError} an impossible unit
 */
export function filterToParts(
  dump: Dump,
  outputs: readonly string[],
  options: SplitOptions,
): Promise<SplitResult> {
  return tryLevels(options, (level, isLast) => splitOnce(dump, outputs, { ...options, level }, isLast))
}

async function splitOnce(
  dump: Dump,
  outputs: readonly string[],
  options: SplitOptions,
  keepsIncomplete: boolean,
): Promise<SplitResult> {
  const plan = planFilter(dump, options)
  if (new Set(outputs.map((output) => resolve(output))).size < outputs.length) {
    throw new UsageError('two parts have the same name', { hint: 'name a file for each part' })
  }
  const ranges = splitPages(plan.keep, outputs.length, unitPages(options.unit ?? GiB, plan.pageSize))
  using files = openAll(outputs, (output) => new OutputFile(output, { ...options, sources: dump.paths }))
  const written = await writeParts(dump, plan, files.list, ranges, options)
  const total = written.reduce(addWritten)
  const output = outputs.join(' ')
  const result = makeResult(dump, plan, total, { ...options, format: 'kdump', output })
  if (total.full !== undefined) {
    throw keepsIncomplete ? keepIncomplete(files.list, result, total.full) : total.full
  }
  checkOutput(
    dump,
    output,
    files.list.map((file) => file.temporaryPath),
    result,
  )
  for (const file of files.list) file.commit()
  const parts = ranges.map(({ start, end }, i) => {
    const { storedPages, size } = written[i] as Written
    return { output: outputs[i] as string, startPfn: start, endPfn: end, storedPages, outputSize: size }
  })
  return { ...result, parts }
}

/**
 * Page frames of each part: whole units until it has its share of the kept pages, the last one the rest.
 * A dump of few units leaves the last parts empty.
 */
export function splitPages(keep: Bitmap, parts: number, unit: number): Range[] {
  const share = Math.floor(keep.count() / parts)
  const ranges: Range[] = []
  let start = 0
  for (let i = 1; i < parts; i++) {
    let end = start
    for (let count = 0; count < share && end < keep.length; end += unit) count += keep.count(end, end + unit)
    end = Math.min(end, keep.length)
    ranges.push({ start, end })
    start = end
  }
  return [...ranges, { start, end: keep.length }]
}

function unitPages(unit: number, pageSize: number): number {
  const pages = unit / pageSize
  if (Number.isInteger(pages) && pages > 0 && pages % 64 === 0) return pages
  throw new UsageError(`parts cannot end at multiples of ${unit} bytes`, {
    hint: `give a multiple of 64 pages, ${64 * pageSize} bytes`,
  })
}

/** Every part has its threads and its file. The first that fails stops the others. */
async function writeParts(
  dump: Dump,
  plan: FilterPlan,
  files: readonly OutputFile[],
  ranges: readonly Range[],
  { onProgress, signal, ...options }: SplitOptions,
): Promise<Written[]> {
  const stop = new AbortController()
  const onAbort = (): void => stop.abort()
  signal?.addEventListener('abort', onAbort)
  const done = ranges.map(() => 0)
  const total = plan.keep.count() * plan.pageSize
  let failure: unknown

  const writePart = async (part: Range, i: number): Promise<Written> => {
    await using threads = startThreads(dump, options.threads, ranges.length)
    const report = (progress: { done: number }): void => {
      done[i] = progress.done
      onProgress?.({ done: done.reduce((sum, one) => sum + one), total })
    }
    const sink = fileSink(files[i] as OutputFile)
    const work = { ...options, part, threads, signal: stop.signal, onProgress: report }
    // Awaited here: the threads must not end before it is done.
    return await writeKdump(dump, plan, sink, work)
  }
  const parts = ranges.map((part, i) =>
    writePart(part, i).catch((error: unknown) => {
      failure ??= error
      stop.abort()
    }),
  )
  const written = await Promise.all(parts)
  signal?.removeEventListener('abort', onAbort)
  if (failure !== undefined) throw failure
  return written as Written[]
}

const addWritten = (a: Written, b: Written): Written => ({
  zeroPages: a.zeroPages + b.zeroPages,
  lostPages: a.lostPages + b.lostPages,
  storedPages: a.storedPages + b.storedPages,
  size: a.size + b.size,
  writtenBytes: a.writtenBytes + b.writtenBytes,
  full: a.full ?? b.full,
})
