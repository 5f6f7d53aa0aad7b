// What a filter would write, without writing it. The pages are counted one by one; what they pack to is
// measured on some of them, spread over the whole memory and always the same.

import type { Dump } from '../../formats/dump.ts'
import { descriptorSize } from '../../formats/kdump/layout.ts'
import { MiB } from '../address.ts'
import { Bitmap } from '../bitmap.ts'
import type { ByteSink } from '../byte-sink.ts'
import type { CodecName } from '../codecs/codec.ts'
import { codecList } from '../codecs/index.ts'
import { pageFate } from '../page-batch.ts'
import { rangeSize } from '../ranges.ts'
import { leavesOutZeroPages } from './dump-level.ts'
import { writeElf } from './elf-output.ts'
import { type FilterOptions, type FilterResult, makeResult } from './index.ts'
import { layoutOf } from './kdump-output.ts'
import { type PipelineOptions, packPages, startThreads } from './pipeline.ts'
import { type FilterPlan, planFilter } from './plan.ts'
import type { Written } from './statistics.ts'

export interface EstimateOptions extends FilterOptions {
  /** Pages that are packed to see what they come to. */
  readonly samplePages?: number | undefined
}

/** As of a filter that was done, but nothing is at `output`. */
export interface Estimate extends FilterResult {
  /** What the output would take with each codec; one entry without a codec for an ELF file. */
  readonly sizes: readonly EstimatedSize[]
}

export interface EstimatedSize {
  /** null: pages as they are. */
  readonly codec: CodecName | null
  /** Bytes. */
  readonly outputSize: number
  /** Every page was counted or packed. */
  readonly isExact: boolean
}

/** @throws {DumpError} as the filter itself */
export async function estimateFilter(
  dump: Dump,
  output: string,
  options: EstimateOptions,
): Promise<Estimate> {
  await using threads = startThreads(dump, options.threads)
  const plan = planFilter(dump, options)
  const estimate = options.format === 'elf' ? estimateElf : estimateKdump
  const { written, sizes } = await estimate(dump, plan, { ...options, threads })
  return { ...makeResult(dump, plan, written, { ...options, output }), sizes }
}

type Work = Omit<EstimateOptions, 'threads'> & PipelineOptions

interface Estimated {
  readonly written: Written
  readonly sizes: readonly EstimatedSize[]
}

/** An ELF file is written, to nowhere. */
async function estimateElf(dump: Dump, plan: FilterPlan, work: Work): Promise<Estimated> {
  const nowhere: ByteSink = { name: 'nowhere', write: async () => {}, finish: async () => {} }
  const written = await writeElf(dump, plan, nowhere, work)
  return { written, sizes: [{ codec: null, outputSize: written.size, isExact: true }] }
}

async function estimateKdump(dump: Dump, plan: FilterPlan, work: Work): Promise<Estimated> {
  const layout = layoutOf(dump, plan)
  const { pageSize } = plan
  const sharesZeroPages = leavesOutZeroPages(plan.level)
  const { zero, other, lost } = await sortPages(dump, plan, work)
  const sample = samplePages(other, work.samplePages ?? Math.max(4096, (64 * MiB) / pageSize))
  const oneZero = new Bitmap(zero.length)
  if (!sharesZeroPages && zero.next(0) >= 0) oneZero.set(zero.next(0))

  const pack = async (pages: Bitmap, codec: CodecName | null): Promise<number> => {
    if (codec === null || pages.next(0) < 0) return pages.count() * pageSize
    const flag = codecList.find(({ name }) => name === codec)?.flag ?? 0
    const level = codec === work.codec ? work.compressionLevel : undefined
    const store = { as: 'packed', flag, level, shareZeroPages: false } as const
    let size = 0
    for await (const block of packPages(dump, { pageSize, wanted: pages, store }, work)) size += block.used
    return size
  }
  const counts = { zero: sharesZeroPages ? 0 : zero.count(), other: other.count(), sample: sample.count() }
  const sizes: EstimatedSize[] = []
  for (const codec of [null, ...codecList.map(({ name }) => name)]) {
    const zeros = counts.zero * (await pack(oneZero, codec))
    const others = (await pack(sample, codec)) * (counts.other / Math.max(1, counts.sample))
    const outputSize = layout.dataAt + zeros + Math.round(others)
    sizes.push({ codec, outputSize, isExact: codec === null || counts.sample === counts.other })
  }
  const size = sizes.find(({ codec }) => codec === (work.codec ?? null))?.outputSize ?? 0
  const headers = layout.pieces.reduce((sum, { bytes }) => sum + bytes.length, layout.status(0).bytes.length)
  const written = {
    zeroPages: sharesZeroPages ? zero.count() : 0,
    lostPages: lost,
    storedPages: plan.keep.count() - lost,
    size,
    writtenBytes: headers + plan.keep.count() * descriptorSize + size - layout.dataAt,
  }
  return { written, sizes }
}

/** Which of the pages to keep are zero, and which hold something. */
async function sortPages(
  dump: Dump,
  { keep, pageSize }: FilterPlan,
  work: Work,
): Promise<{ readonly zero: Bitmap; readonly other: Bitmap; readonly lost: number }> {
  const [zero, other] = [new Bitmap(keep.length), keep.clone()]
  let lost = 0
  const store = { as: 'nothing' } as const
  for await (const { start, sizes } of packPages(dump, { pageSize, wanted: keep, store }, work)) {
    let pfn = start - 1
    for (const size of sizes) {
      pfn = keep.next(pfn + 1)
      if (size === pageFate.zero) zero.set(pfn)
      if (size === pageFate.lost) lost++
      if (size < 0) other.clear(pfn)
    }
  }
  return { zero, other, lost }
}

/** One of every so many pages, at a place that follows no pattern; all when there are no more than `most`. */
function samplePages(pages: Bitmap, most: number): Bitmap {
  const count = pages.count()
  if (count <= most) return pages
  const sample = new Bitmap(pages.length)
  const stride = count / most
  let taken = 0
  let random = 1
  const nextPick = (): number => {
    // MINSTD: the same on every machine.
    random = (random * 48271) % 0x7fff_ffff
    return Math.floor(stride * (taken++ + random / 0x7fff_ffff))
  }
  let passed = 0
  let pick = nextPick()
  for (const run of pages.runs()) {
    const end = passed + rangeSize(run)
    for (; pick < end && taken <= most; pick = nextPick()) sample.set(run.start + pick - passed)
    passed = end
  }
  return sample
}
