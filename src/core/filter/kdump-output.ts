// Writes a kdump-compressed file, header version 6. Everything in front of the page data has a size
// that the plan tells, so all is written where it belongs as it comes. Only the status word, which
// says whether pages were lost, is known at the end and written last.

import type { Dump } from '../../formats/dump.ts'
import { descriptorSize, statusFlags } from '../../formats/kdump/layout.ts'
import { makeKdumpLayout, putDescriptor } from '../../formats/kdump/writer.ts'
import type { ByteSink } from '../byte-sink.ts'
import type { CodecName } from '../codecs/codec.ts'
import { codecList } from '../codecs/index.ts'
import { pageFate } from '../page-batch.ts'
import type { Range } from '../ranges.ts'
import { leavesOutZeroPages } from './dump-level.ts'
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

/** @throws {DumpError} reading or writing failed */
export async function writeKdump(
  dump: Dump,
  plan: FilterPlan,
  sink: ByteSink,
  options: KdumpOptions,
): Promise<Written> {
  const codec = codecList.find(({ name }) => name === options.codec)
  const { pageSize, keep } = plan
  const { part } = options
  const wanted = part === undefined ? keep : keep.within(part)
  const shareZeroPages = leavesOutZeroPages(plan.level)
  const layout = makeKdumpLayout({
    ...plan.machine,
    abi: dump.abi,
    blockSize: pageSize,
    dumpLevel: plan.level,
    noteBytes: dump.noteBytes,
    exists: plan.existing,
    stored: keep,
    part,
  })
  const descriptors = new Descriptors(layout.descriptorsAt, dump.abi.littleEndian)
  let zeroPages = 0
  let lostPages = 0
  let end = layout.dataAt

  for (const { offset, bytes } of layout.pieces) await sink.write(offset, bytes)
  const flag = codec?.flag ?? 0
  const store = { as: 'packed', flag, level: options.compressionLevel, shareZeroPages } as const
  for await (const { sizes, bytes } of packPages(dump, { pageSize, wanted, store }, options)) {
    let at = end
    for (const size of sizes) {
      if (size === pageFate.zero) {
        zeroPages++
        descriptors.add(layout.zeroPageAt ?? 0, pageSize, 0)
      } else if (size === pageFate.lost) {
        lostPages++
        descriptors.add(0, 0, 0)
      } else {
        descriptors.add(at, size, size < pageSize ? flag : 0)
        at += size
      }
    }
    if (descriptors.isFull) await descriptors.flush(sink)
    if (at > end) await sink.write(end, bytes)
    end = at
  }
  await descriptors.flush(sink)
  const incomplete = plan.isCutShort || lostPages > 0
  const status = layout.status(flag | (incomplete ? statusFlags.incomplete : 0))
  await sink.write(status.offset, status.bytes)
  await sink.finish(end)
  return { zeroPages, lostPages, storedPages: wanted.count() - lostPages, size: end }
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
