// Writes a kdump-compressed file, header version 6. Everything in front of the page data has a size
// that the plan tells, so all is written where it belongs as it comes. Only the status word, which
// says whether pages were lost, is known at the end and written last.

import type { Dump } from '../../formats/dump.ts'
import { type Note, noteTypes, parseNotes, writeNote } from '../../formats/elf/notes.ts'
import {
  bitmapBytes,
  descriptorSize,
  kdumpHeader,
  kdumpOffsets,
  signature,
  statusFlags,
  subHeader,
} from '../../formats/kdump/layout.ts'
import type { Bitmap } from '../bitmap.ts'
import type { ByteSink } from '../byte-sink.ts'
import type { Codec } from '../codecs/codec.ts'
import { codecList } from '../codecs/index.ts'
import { pageFate } from './block-work.ts'
import { leavesOutZeroPages } from './dump-level.ts'
import { type PipelineOptions, packPages } from './pipeline.ts'
import type { FilterPlan } from './plan.ts'
import type { Written } from './statistics.ts'

export interface KdumpOptions extends PipelineOptions {
  /** Name of a codec that packs each page; pages are stored as they are without one. */
  readonly codec?: string | undefined
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
  const shareZeroPages = leavesOutZeroPages(plan.level)
  const head = makeHead(dump, plan, codec)
  const dataStart = head.descriptors + keep.count() * descriptorSize
  const descriptors = new Descriptors(head.descriptors, dump.abi.littleEndian)
  let zeroPages = 0
  let lostPages = 0
  let end = dataStart

  for (const [offset, bytes] of head.parts) await sink.write(offset, bytes)
  if (shareZeroPages) {
    await sink.write(end, new Uint8Array(pageSize))
    end += pageSize
  }
  const work = { pageSize, wanted: keep, store: 'packed', codec: codec?.name, shareZeroPages } as const
  for await (const { sizes, bytes } of packPages(dump, work, options)) {
    let at = end
    for (const size of sizes) {
      if (size === pageFate.zero) {
        zeroPages++
        descriptors.add(dataStart, pageSize, 0)
      } else if (size === pageFate.lost) {
        lostPages++
        descriptors.add(0, 0, 0)
      } else {
        descriptors.add(at, size, size < pageSize && codec !== undefined ? codec.flag : 0)
        at += size
      }
    }
    if (descriptors.isFull) await descriptors.flush(sink)
    if (at > end) await sink.write(end, bytes)
    end = at
  }
  await descriptors.flush(sink)
  await sink.write(...head.status(plan.isCutShort || lostPages > 0))
  await sink.finish(end)
  return { zeroPages, lostPages, storedPages: keep.count() - lostPages, size: end }
}

interface Head {
  /** What stands before the descriptors, as [offset, bytes], without the status word and the gaps. */
  readonly parts: readonly (readonly [number, Uint8Array])[]
  /** The status word. */
  readonly status: (incomplete: boolean) => [number, Uint8Array]
  /** Where the descriptors start. */
  readonly descriptors: number
}

function makeHead(dump: Dump, plan: FilterPlan, codec: Codec | undefined): Head {
  const { abi } = dump
  const { pageSize, maxMapnr, machine } = plan
  const notes = notesOf(dump)
  const subSize = subHeader.layout(abi).size
  const sizes = {
    blockSize: pageSize,
    subHeaderBlocks: Math.ceil((subSize + notes.bytes.length) / pageSize),
    bitmapBlocks: (2 * bitmapBytes(maxMapnr, pageSize)) / pageSize,
  }
  const offsets = kdumpOffsets(sizes, maxMapnr)
  const noteOffset = pageSize + subSize
  const main = (status: number): Uint8Array =>
    kdumpHeader.write(
      {
        ...sizes,
        signature,
        status,
        headerVersion: 6,
        utsname: machine.utsname,
        seconds: BigInt(machine.crashTime),
        maxMapnr: Math.min(maxMapnr, 0xffff_ffff),
        cpuCount: machine.cpuCount,
      },
      abi,
    )
  const sub = subHeader.write(
    {
      physBase: machine.physBase,
      dumpLevel: plan.level,
      vmcoreinfoOffset: notes.vmcoreinfo === undefined ? 0 : noteOffset + notes.vmcoreinfo.descOffset,
      vmcoreinfoSize: notes.vmcoreinfo?.desc.length ?? 0,
      noteOffset,
      noteSize: notes.bytes.length,
      maxMapnr64: maxMapnr,
    },
    abi,
  )
  const statusAt = kdumpHeader.layout(abi).offsets.status
  const whole = main(0)
  const compression = codec?.flag ?? 0
  return {
    parts: [
      [0, whole.subarray(0, statusAt)],
      [statusAt + 4, whole.subarray(statusAt + 4)],
      [pageSize, sub],
      [noteOffset, notes.bytes],
      [offsets.bitmap1, padded(plan.existing, pageSize)],
      [offsets.bitmap2, padded(plan.keep, pageSize)],
    ],
    status: (incomplete) => {
      const status = compression | (incomplete ? statusFlags.incomplete : 0)
      return [statusAt, main(status).subarray(statusAt, statusAt + 4)]
    },
    descriptors: offsets.descriptors,
  }
}

/** The dump's notes as they are. Files of version 3 have VMCOREINFO without a note around it. */
function notesOf(dump: Dump): { bytes: Uint8Array; vmcoreinfo: Note | undefined } {
  const { littleEndian } = dump.abi
  const bytes =
    dump.notes.length === 0 && dump.vmcoreinfo !== undefined
      ? writeNote('VMCOREINFO', noteTypes.vmcoreinfo, Buffer.from(dump.vmcoreinfo, 'latin1'), littleEndian)
      : dump.noteBytes
  const vmcoreinfo = parseNotes(bytes, littleEndian, dump.name).find(
    ({ name, type }) => name === 'VMCOREINFO' && type === noteTypes.vmcoreinfo,
  )
  return { bytes, vmcoreinfo }
}

/** Whole blocks, because readers map them. */
function padded(bitmap: Bitmap, blockSize: number): Uint8Array {
  const bytes = new Uint8Array(bitmapBytes(bitmap.length, blockSize))
  bytes.set(bitmap.bytes)
  return bytes
}

/** Page descriptors on their way to the file, some thousand at a time. */
class Descriptors {
  readonly #bytes = new Uint8Array(5461 * descriptorSize)
  readonly #view = new DataView(this.#bytes.buffer)
  readonly #littleEndian: boolean
  #used = 0
  #at: number

  constructor(at: number, littleEndian: boolean) {
    this.#at = at
    this.#littleEndian = littleEndian
  }

  /** The descriptors of one more block may not fit. */
  get isFull(): boolean {
    return this.#used > this.#bytes.length / 2
  }

  add(offset: number, size: number, flags: number): void {
    const low = this.#littleEndian ? 0 : 4
    this.#view.setUint32(this.#used + low, offset % 2 ** 32, this.#littleEndian)
    this.#view.setUint32(this.#used + 4 - low, Math.floor(offset / 2 ** 32), this.#littleEndian)
    this.#view.setUint32(this.#used + 8, size, this.#littleEndian)
    this.#view.setUint32(this.#used + 12, flags, this.#littleEndian)
    this.#used += descriptorSize
  }

  async flush(sink: ByteSink): Promise<void> {
    if (this.#used === 0) return
    await sink.write(this.#at, this.#bytes.subarray(0, this.#used))
    this.#at += this.#used
    this.#used = 0
  }
}
