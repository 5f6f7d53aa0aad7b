// The way of the pages: blocks of page frames go to threads, which read and pack them, and come back in
// order. Who writes them gives them their places, one block after the other, so neither the number of
// threads nor their speed shows in the output, and a stream can be written as well as a file.

import { availableParallelism } from 'node:os'
import type { Dump } from '../../formats/dump.ts'
import { MiB } from '../address.ts'
import type { Bitmap } from '../bitmap.ts'
import { totalSize } from '../ranges.ts'
import { runInOrder, Threads } from '../worker-pool.ts'
import { type Block, type BlockResult, type BlockSetup, blockPages, startBlockWork } from './block-work.ts'

export interface PipelineOptions {
  readonly threads: Threads
  readonly signal?: AbortSignal | undefined
  /** Bytes of pages read so far, and in all. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

export interface PageWork extends Omit<BlockSetup, 'paths' | 'edits' | 'wanted' | 'pages'> {
  readonly wanted: Bitmap
}

export interface PackedBlock extends BlockResult {
  /** The pages, one after the other, as `sizes` says; good until the next block is asked for. */
  readonly bytes: Uint8Array
}

/** Every block that has a wanted page, in order. @throws {DumpError} */
export async function* packPages(
  { name, paths, erased }: Dump,
  work: PageWork,
  { threads, signal, onProgress }: PipelineOptions,
): AsyncGenerator<PackedBlock> {
  if (paths === undefined) throw new Error(`${name} cannot be opened again by its path`)
  const { wanted, pageSize } = work
  const shared = new SharedArrayBuffer(wanted.bytes.length)
  wanted.copyInto(new Uint8Array(shared))
  const pages = wanted.count()
  const share = {
    setup: { ...work, paths, edits: erased?.edits, wanted: shared, pages: wanted.length },
    start: startBlockWork,
    bufferBytes: blockPages(pageSize) * pageSize,
    signal,
  }
  const blocks = listBlocks(wanted, blockPages(pageSize))
  let done = 0
  for await (const { result, buffer } of runInOrder(threads, share, blocks)) {
    yield { ...result, bytes: buffer.subarray(0, result.used) }
    done += result.sizes.length
    onProgress?.({ done: done * pageSize, total: pages * pageSize })
  }
}

/** Each has `most` wanted pages, the last one what is left. */
function* listBlocks(wanted: Bitmap, most: number): Generator<Block> {
  let start = 0
  let count = 0
  for (const run of wanted.runs()) {
    let from = run.start
    while (run.end - from >= most - count) {
      from += most - count
      yield { start, end: from }
      start = from
      count = 0
    }
    count += run.end - from
  }
  if (count > 0) yield { start, end: wanted.length }
}

/** Dumps with fewer bytes of memory are done sooner than threads are started. */
const worthThreads = 64 * MiB

/** Each takes about 13 MiB, and memory is scarce where dumps are made. */
const mostThreads = 8

/**
 * Threads beside this one, which works, too, for one of `sharers` who copy a dump at the same time.
 * @param count of all that work; by default one a core, and this one alone for small dumps
 */
export function startThreads({ memory }: Dump, count: number | undefined, sharers = 1): Threads {
  const all = count ?? defaultThreads(totalSize(memory.ranges))
  if (all <= 1) return new Threads(0)
  return new Threads(sharers === 1 ? all - 1 : Math.ceil(all / sharers))
}

function defaultThreads(bytes: number): number {
  const cores = availableParallelism()
  return bytes >= worthThreads ? Math.min(cores, mostThreads) : 1
}
