// What a thread does with a block of pages: read those that stay, find the zero ones, pack them. It
// opens the dump itself and knows nothing of where the bytes go, so the output is the same whatever
// thread did what.

import { openDump } from '../../formats/index.ts'
import { MiB, type Pfn } from '../address.ts'
import { Bitmap } from '../bitmap.ts'
import { codecList } from '../codecs/index.ts'
import { rangeSize } from '../ranges.ts'
import type { Work } from '../worker-pool.ts'
import { PageMemory } from '../zero-test.ts'
import { readPages } from './page-reader.ts'

export interface BlockSetup {
  /** Of the dump; every thread opens it for itself. */
  readonly paths: readonly string[]
  readonly pageSize: number
  /** One bit a page frame: which pages are wanted. Shared between the threads, not written to. */
  readonly wanted: SharedArrayBuffer
  readonly pages: number
  /**
   * packed: each page by the codec, or raw where that is no smaller · raw: page after page ·
   * nothing: only look which are zero
   */
  readonly store: 'packed' | 'raw' | 'nothing'
  /** Name of a codec; undefined packs nothing. */
  readonly codec: string | undefined
  /** Zero pages take no bytes of their own. */
  readonly shareZeroPages: boolean
}

/** Page frames [start, end), at most as many as blockPages() says. */
export interface Block {
  readonly start: Pfn
  readonly end: Pfn
}

export interface BlockResult extends Block {
  /**
   * For each wanted page of the block, in order: bytes it takes in the buffer (the page size when it
   * is raw), or one of pageFate. The bytes lie in the buffer in the same order.
   */
  readonly sizes: Int32Array
  /** Bytes of the buffer in use. */
  readonly used: number
}

/** Pages that have no bytes in the buffer; with `store: 'raw'` a lost page has zeros. */
export const pageFate = { zero: -1, lost: -2 } as const

/** About 1 MiB: enough to make a message between threads cheap, small enough to share work evenly. */
export const blockPages = (pageSize: number): number => Math.max(1, MiB / pageSize)

export function startBlockWork(setup: BlockSetup): Work<Block, BlockResult> {
  const { pageSize } = setup
  const dump = openDump(setup.paths)
  const wanted = new Bitmap(setup.pages, new Uint8Array(setup.wanted))
  const memory = new PageMemory(blockPages(pageSize) * pageSize)
  const pack = pagePacker(setup)
  return {
    run({ start, end }, buffer) {
      const { count, lost } = readWanted(start, end)
      const zero = memory.findZeroPages(pageSize, count)
      const sizes = new Int32Array(count)
      let used = 0
      for (let i = 0; i < count; i++) {
        const page = memory.pages.subarray(i * pageSize, (i + 1) * pageSize)
        const size = lost.has(i) ? pageFate.lost : pack(page, zero[i] === 1, buffer, used)
        sizes[i] = size
        if (size > 0) used += size
        else if (setup.store === 'raw') {
          buffer.fill(0, used, used + pageSize)
          used += pageSize
        }
      }
      return { start, end, sizes, used: setup.store === 'nothing' ? 0 : used }
    },
    [Symbol.dispose]: () => dump[Symbol.dispose](),
  }

  function readWanted(start: Pfn, end: Pfn): { count: number; lost: ReadonlySet<number> } {
    const lost = new Set<number>()
    let count = 0
    for (const run of wanted.runs(start, end)) {
      const pages = rangeSize(run)
      const into = memory.pages.subarray(count * pageSize, (count + pages) * pageSize)
      for (const i of readPages(dump.memory, pageSize, run.start * pageSize, into)) lost.add(count + i)
      count += pages
    }
    return { count, lost }
  }
}

/** Puts one page at `at` of the buffer; returns the bytes taken, or its fate. */
type PagePacker = (page: Uint8Array, isZero: boolean, buffer: Uint8Array, at: number) => number

function pagePacker({ pageSize, store, codec: codecName, shareZeroPages }: BlockSetup): PagePacker {
  if (store === 'nothing') return (_, isZero) => (isZero ? pageFate.zero : pageSize)
  const codec = codecList.find(({ name }) => name === codecName)
  const compress = codec?.makeCompressor?.() ?? (() => 0)

  const packPage = (page: Uint8Array, buffer: Uint8Array, at: number): number => {
    const size = compress(page, buffer.subarray(at, at + pageSize))
    if (size > 0) return size
    buffer.set(page, at)
    return pageSize
  }
  // Most pages of a sparse machine are zero, and they all pack to the same bytes.
  const packed = new Uint8Array(pageSize)
  const zeroPage = packed.subarray(0, packPage(new Uint8Array(pageSize), packed, 0))

  return (page, isZero, buffer, at) => {
    if (!isZero) return packPage(page, buffer, at)
    if (shareZeroPages) return pageFate.zero
    buffer.set(zeroPage, at)
    return zeroPage.length
  }
}
