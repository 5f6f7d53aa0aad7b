// What a thread does with a block of pages: read those that stay, find the zero ones, pack them. It
// opens the dump itself and knows nothing of where the bytes go, so the output is the same whatever
// thread did what.

import { openDump } from '../../formats/index.ts'
import { KiB, MiB, type Pfn } from '../address.ts'
import { Bitmap } from '../bitmap.ts'
import type { Compressor } from '../codecs/codec.ts'
import { codecList } from '../codecs/index.ts'
import { editMemory, type PageEdits } from '../memory/page-edits.ts'
import { PageBatch, pageFate } from '../page-batch.ts'
import { rangeSize } from '../ranges.ts'
import type { Work } from '../worker-pool.ts'
import { readPages } from './page-reader.ts'

export interface BlockSetup {
  /** Of the dump; every thread opens it for itself. */
  readonly paths: readonly string[]
  /** Parts of its memory that are erased. */
  readonly edits: PageEdits | undefined
  readonly pageSize: number
  /** One bit a page frame: which pages are wanted. Shared between the threads, not written to. */
  readonly wanted: SharedArrayBuffer
  readonly pages: number
  readonly store: Store
}

export type Store =
  /** Page after page. */
  | { readonly as: 'raw' }
  /** Only look which are zero. */
  | { readonly as: 'nothing' }
  /** Each page by the codec, or raw where that is no smaller. */
  | {
      readonly as: 'packed'
      /** Bit of a codec in page_desc.flags; 0 packs nothing. */
      readonly flag: number
      /** The codec's default when undefined. */
      readonly level: number | undefined
      /** Zero pages take no bytes of their own. */
      readonly shareZeroPages: boolean
    }

/** Page frames [start, end) with at most as many wanted pages as blockPages() says. */
export interface Block {
  readonly start: Pfn
  readonly end: Pfn
}

export interface BlockResult extends Block {
  /**
   * For each wanted page of the block, in order: bytes it takes in the buffer (the page size when it
   * is raw), or one of pageFate. The bytes lie in the buffer in the same order. With `raw`, lost pages
   * are marked but take as many zeros, and zero pages are not looked for.
   */
  readonly sizes: Int32Array
  /** Bytes of the buffer in use. */
  readonly used: number
}

/** About 1 MiB: enough to make a message between threads cheap, small enough to share work evenly. */
export const blockPages = (pageSize: number): number => Math.max(1, MiB / pageSize)

/** Read and packed at once: what stays in a core's own cache. */
const batchBytes = 256 * KiB

/** What is done with the pages of a batch that were read; fills in `sizes`, returns the bytes used. */
type Packer = (batch: PageBatch, sizes: Int32Array, buffer: Uint8Array) => number

export function startBlockWork(setup: BlockSetup): Work<Block, BlockResult> {
  const { pageSize } = setup
  const dump = openDump(setup.paths)
  const memory = setup.edits === undefined ? dump.memory : editMemory(dump.memory, setup.edits)
  const wanted = new Bitmap(setup.pages, new Uint8Array(setup.wanted))
  const sizes = new Int32Array(blockPages(pageSize))
  const work = setup.store.as === 'raw' ? readRaw : makeBatchWork()
  return {
    run({ start, end }, buffer) {
      sizes.fill(0)
      const { count, used } = work(start, end, buffer)
      return { start, end, sizes: sizes.slice(0, count), used }
    },
    [Symbol.dispose]: () => dump[Symbol.dispose](),
  }

  /** Reads pages [start, end) to `into`, and marks those that are lost; the first of them is number `count`. */
  function read(start: Pfn, end: Pfn, into: Uint8Array, count: number): void {
    const part = into.subarray(0, (end - start) * pageSize)
    for (const i of readPages(memory, pageSize, start * pageSize, part)) sizes[count + i] = pageFate.lost
  }

  function readRaw(start: Pfn, end: Pfn, buffer: Uint8Array): { count: number; used: number } {
    let count = 0
    for (const run of wanted.runs(start, end)) {
      read(run.start, run.end, buffer.subarray(count * pageSize), count)
      count += rangeSize(run)
    }
    for (let i = 0; i < count; i++) if (sizes[i] === 0) sizes[i] = pageSize
    return { count, used: count * pageSize }
  }

  function makeBatchWork(): typeof readRaw {
    const most = Math.max(1, batchBytes / pageSize)
    const batch = new PageBatch(most * pageSize)
    const pack = makePacker(setup, batch)
    return (start, end, buffer) => {
      let [packed, waiting, used] = [0, 0, 0]
      const packWaiting = (): void => {
        used += pack(batch, sizes.subarray(packed, packed + waiting), buffer.subarray(used))
        packed += waiting
        waiting = 0
      }
      for (const run of wanted.runs(start, end)) {
        for (let from = run.start; from < run.end; ) {
          const to = Math.min(run.end, from + most - waiting)
          read(from, to, batch.pages.subarray(waiting * pageSize), packed + waiting)
          waiting += to - from
          from = to
          if (waiting === most) packWaiting()
        }
      }
      packWaiting()
      return { count: packed, used }
    }
  }
}

function makePacker({ pageSize, store }: BlockSetup, batch: PageBatch): Packer {
  if (store.as !== 'packed') {
    return (_, sizes) => {
      const zero = batch.findZeroPages(pageSize, sizes.length)
      for (let i = 0; i < sizes.length; i++) {
        if (sizes[i] === 0) sizes[i] = zero[i] === 1 ? pageFate.zero : pageSize
      }
      return 0
    }
  }
  const { flag, level, shareZeroPages } = store
  const codec = codecList.find((one) => one.flag === flag)
  if ((level === undefined || level === codec?.levels?.usual) && batch.canPack(flag)) {
    return (_, sizes, buffer) => {
      const packed = batch.pack(flag, pageSize, sizes, shareZeroPages)
      buffer.set(packed)
      return packed.length
    }
  }
  const compress = codec?.makeCompressor?.(level)
  if (compress === undefined) throw new Error(`no encoder for pages of codec ${flag}, level ${level}`)
  return packOneByOne(compress, pageSize, shareZeroPages)
}

function packOneByOne(compress: Compressor, pageSize: number, shareZeroPages: boolean): Packer {
  const packPage = (page: Uint8Array, buffer: Uint8Array, at: number): number => {
    const size = compress(page, buffer.subarray(at, at + pageSize))
    if (size > 0) return size
    buffer.set(page, at)
    return pageSize
  }
  // Most pages of a sparse machine are zero, and they all pack to the same bytes.
  const packed = new Uint8Array(pageSize)
  const zeroPage = packed.subarray(0, packPage(new Uint8Array(pageSize), packed, 0))
  return (batch, sizes, buffer) => {
    const zero = batch.findZeroPages(pageSize, sizes.length)
    let used = 0
    for (let i = 0; i < sizes.length; i++) {
      if (sizes[i] === pageFate.lost) continue
      if (zero[i] === 1 && shareZeroPages) {
        sizes[i] = pageFate.zero
        continue
      }
      if (zero[i] === 1) {
        buffer.set(zeroPage, used)
        sizes[i] = zeroPage.length
      } else {
        sizes[i] = packPage(batch.pages.subarray(i * pageSize, (i + 1) * pageSize), buffer, used)
      }
      used += sizes[i] as number
    }
    return used
  }
}
