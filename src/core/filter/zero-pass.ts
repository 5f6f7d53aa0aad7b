// Looks for zero pages without writing anything: an ELF file's headers need to know them beforehand,
// and a count needs nothing else. A kdump output finds them while it copies.

import type { Bitmap } from '../bitmap.ts'
import { pageFate } from './block-work.ts'
import type { DumpPath } from './index.ts'
import { type PipelineOptions, packPages } from './pipeline.ts'

/**
 * Clears the bits of zero pages; returns how many there were.
 * @throws {DumpError}
 */
export async function clearZeroPages(
  path: DumpPath,
  pageSize: number,
  pages: Bitmap,
  options: PipelineOptions,
): Promise<number> {
  const work = {
    path,
    pageSize,
    wanted: pages,
    store: 'nothing',
    codec: undefined,
    shareZeroPages: false,
  } as const
  let found = 0
  for await (const { start, sizes } of packPages(work, options)) {
    let pfn = start - 1
    for (const size of sizes) {
      pfn = pages.next(pfn + 1)
      if (size !== pageFate.zero) continue
      pages.clear(pfn)
      found++
    }
  }
  return found
}
