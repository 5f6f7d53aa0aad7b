// Writes a kdump-compressed file, header version 6. Everything in front of the page data has a size
// that the plan tells, so all is written where it belongs as it comes. Only the status word, which
// says whether pages were lost, is known at the end and written last.

import type { Dump } from '../../formats/dump.ts'
import { replaceEraseInfo } from '../../formats/elf/notes.ts'
import { descriptorSize, statusFlags } from '../../formats/kdump/layout.ts'
import { type KdumpLayout, makeKdumpLayout, putDescriptor } from '../../formats/kdump/writer.ts'
import { type ByteSink, countWrites } from '../byte-sink.ts'
import type { CodecName } from '../codecs/codec.ts'
import { codecList } from '../codecs/index.ts'
import { NoSpaceError } from '../errors.ts'
import { pageFate } from '../page-batch.ts'
import type { Range } from '../ranges.ts'
import { leavesOutZeroPages } from './dump-level.ts'
import { newEraseInfo } from './erase-info.ts'
import { type PipelineOptions, packPages } from './pipeline.ts'
import type { FilterPlan } from './plan.ts'
import type { Written } from './statistics.ts'

export interface KdumpOptions extends PipelineOptions {
  /** Name of a codec that packs each page; pages are stored as they are without one. */
  readonly codec?: CodecName | undefined
  /** Of the codec; makedumpfile's when undefined. */
  readonly compressionLevel?: number | undefined
  /** Write one file of a set: only these page frames. */
  readonly part?: Range | undefined
}

/**
 * @throws {DumpError} reading or writing failed; a full destination that can be mended (ByteSink.reserve)
 * is no failure: what was written before is a dump, marked as incomplete
 */
export async function writeKdump(
  dump: Dump,
  plan: FilterPlan,
  output: ByteSink,
  options: KdumpOptions,
): Promise<Written> {
  const { sink, bytes: writtenBytes } = countWrites(output)
  const { pageSize, keep } = plan
  const { part, codec, compressionLevel } = options
  const wanted = part === undefined ? keep : keep.within(part)
  const flag = codecList.find(({ name }) => name === codec)?.flag ?? 0
  const shareZeroPages = leavesOutZeroPages(plan.level)
  const layout = layoutOf(dump, plan, part)
  const descriptors = new Descriptors(layout.descriptorsAt, dump.abi.littleEndian)
  const pages = { zero: 0, lost: 0, stored: 0 }
  let end = layout.dataAt
  let full: NoSpaceError | undefined

  for (const { offset, bytes } of layout.pieces) await sink.write(offset, bytes)
  await sink.reserve?.(layout.descriptorsAt, wanted.count() * descriptorSize)
  const store = { as: 'packed', flag, level: compressionLevel, shareZeroPages } as const
  for await (const { sizes, bytes } of packPages(dump, { pageSize, wanted, store }, options)) {
    full = await tryWrite(sink, end, bytes)
    const dataEnd = end + (full?.written ?? bytes.length)
    for (const size of sizes) {
      if (size === pageFate.lost) {
        pages.lost++
        descriptors.add(0, 0, 0)
        continue
      }
      if (size === pageFate.zero) {
        pages.zero++
        descriptors.add(layout.zeroPageAt ?? 0, pageSize, 0)
      } else {
        if (end + size > dataEnd) break
        descriptors.add(end, size, size < pageSize ? flag : 0)
        end += size
      }
      pages.stored++
    }
    if (full !== undefined) break
    if (descriptors.isFull) await descriptors.flush(sink)
  }
  await descriptors.flush(sink)
  const isFirst = part === undefined || part.start === 0
  const erased = (isFirst ? dump.eraseInfo : '') + newEraseInfo(dump, wanted, pageSize)
  if (full === undefined) full = await writeEraseInfo(sink, layout, end, erased)
  if (full === undefined) end += erased.length
  // Descriptors that were not reached are zero: their pages are lost.
  if (full !== undefined) pages.lost = wanted.count() - pages.stored
  const incomplete = plan.isCutShort || pages.lost > 0
  const earlier = (dump.kdump?.status ?? 0) & statusFlags.excludedVmemmap
  const partialMap = plan.unusedStructPages > 0 ? statusFlags.excludedVmemmap : earlier
  const status = layout.status(flag | partialMap | (incomplete ? statusFlags.incomplete : 0))
  await sink.write(status.offset, status.bytes)
  await sink.finish(end)
  return {
    zeroPages: pages.zero,
    lostPages: pages.lost,
    storedPages: pages.stored,
    size: end,
    writtenBytes: writtenBytes(),
    full,
  }
}

/** Where everything goes in the file that `plan` describes, or in a part of it. */
export const layoutOf = (dump: Dump, plan: FilterPlan, part?: Range): KdumpLayout =>
  makeKdumpLayout({
    ...plan.machine,
    abi: dump.abi,
    blockSize: plan.pageSize,
    dumpLevel: plan.level,
    noteBytes: replaceEraseInfo(dump.noteBytes, '', dump.abi.littleEndian),
    exists: plan.existing,
    stored: plan.keep,
    part,
  })

/** Behind the pages. @throws {DumpError} as tryWrite */
export async function writeEraseInfo(
  sink: ByteSink,
  layout: KdumpLayout,
  end: number,
  text: string,
): Promise<NoSpaceError | undefined> {
  if (text === '') return undefined
  const full = await tryWrite(sink, end, Buffer.from(text, 'latin1'))
  const { offset, bytes } = layout.eraseInfo(end, text.length)
  if (full === undefined) await sink.write(offset, bytes)
  return full
}

/** The error when it is full and the output can be mended. @throws {DumpError} any other */
export async function tryWrite(
  sink: ByteSink,
  offset: number,
  bytes: Uint8Array,
): Promise<NoSpaceError | undefined> {
  try {
    if (bytes.length > 0) await sink.write(offset, bytes)
    return undefined
  } catch (error) {
    if (error instanceof NoSpaceError && sink.reserve !== undefined) return error
    throw error
  }
}

/** Page descriptors on their way to the file, some thousand at a time. */
export class Descriptors {
  readonly #bytes = new Uint8Array(5461 * descriptorSize)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #littleEndian: boolean
  #used = 0
  #at: number

  constructor(at: number, littleEndian: boolean) {
    this.#at = at
    this.#littleEndian = littleEndian
  }

  /** The descriptors of one more block may not fit: time to flush. */
  get isFull(): boolean {
    return this.#used > this.#bytes.length / 2
  }

  add(offset: number, size: number, flags: number): void {
    putDescriptor(this.#view, this.#used, this.#littleEndian, offset, size, flags)
    this.#used += descriptorSize
  }

  async flush(sink: ByteSink): Promise<void> {
    if (this.#used === 0) return
    await sink.write(this.#at, this.#bytes.subarray(0, this.#used))
    this.#at += this.#used
    this.#used = 0
  }
}
