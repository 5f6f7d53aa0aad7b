// Looks for zero pages without writing anything: an ELF file's headers need to know them beforehand,
// and a count needs nothing else. A kdump output finds them while it copies.

import type { Dump } from '../../formats/dump.ts'
import type { Pfn } from '../address.ts'
import type { Bitmap } from '../bitmap.ts'
import { pageFate } from '../page-batch.ts'
import { type PipelineOptions, packPages } from './pipeline.ts'

/** Calls `visit` for those of the wanted pages that hold only zeros, in order. @throws {DumpError} */
export async function findZeroPages(
  dump: Dump,
  work: { readonly pageSize: number; readonly wanted: Bitmap },
  options: PipelineOptions,
  visit: (pfn: Pfn) => void,
): Promise<void> {
  const scan = { ...work, store: { as: 'nothing' } } as const
  for await (const { start, sizes } of packPages(dump, scan, options)) {
    let pfn = start - 1
    for (const size of sizes) {
      pfn = work.wanted.next(pfn + 1)
      if (size === pageFate.zero) visit(pfn)
    }
  }
}
