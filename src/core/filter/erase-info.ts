// The record of what was erased, a line each, as makedumpfile writes it: what somebody wiped is no bug of
// the kernel. Bytes on pages that the output does not have were not erased, but left out.

import type { Dump } from '../../formats/dump.ts'
import type { Bitmap } from '../bitmap.ts'
import type { Ranges } from '../ranges.ts'

/** What is erased now, on the pages of an output; earlier filters' is Dump.eraseInfo. */
export function newEraseInfo({ erased }: Dump, pages: Bitmap, pageSize: number): string {
  const lines = (erased?.parts ?? []).map(({ expression, nullified, ranges }) => {
    const bytes = bytesOn(ranges, pages, pageSize)
    if (bytes === 0) return ''
    return nullified ? `erase ${expression} nullify\n` : `erase ${expression} size ${bytes}\n`
  })
  return lines.join('')
}

function bytesOn(ranges: Ranges, pages: Bitmap, pageSize: number): number {
  let bytes = 0
  for (const { start, end } of ranges) {
    for (let at = start; at < end; ) {
      const pfn = Math.floor(at / pageSize)
      const next = Math.min(end, (pfn + 1) * pageSize)
      if (pfn < pages.length && pages.has(pfn)) bytes += next - at
      at = next
    }
  }
  return bytes
}
