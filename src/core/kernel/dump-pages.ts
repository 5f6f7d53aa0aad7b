// Which pages a dump has, in the three senses that filters must keep apart. A page may be there in
// part: a core file's segment can begin inside one (every fadump vmcore with 64K pages has such a
// page), and then only its later bytes are stored.

import { Bitmap } from '../bitmap.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import { findRange } from '../ranges.ts'

/** Bitmaps of one length: as many bits as the highest address needs. */
export interface DumpPages {
  /** Any byte of the page was RAM; the first bitmap of a kdump file. */
  readonly existing: Bitmap
  /** The dump holds the page's first byte. Only such pages are judged by their struct page. */
  readonly stored: Bitmap
  /** There is something to copy: existing pages that no earlier filter left out. */
  readonly dumpable: Bitmap
}

/** @throws {FormatError} when the addresses are too high for bitmaps. */
export function readDumpPages(memory: PhysicalMemory, pageSize: number): DumpPages {
  const stored = memory.storedPages(pageSize)
  const existing = new Bitmap(stored.length)
  const dumpable = stored.clone()
  for (const { start, end } of memory.ranges) {
    const first = Math.floor(start / pageSize)
    existing.setRange(first, Math.ceil(end / pageSize))
    const beginsInside = findRange(memory.ranges, first * pageSize) === undefined
    if (beginsInside) dumpable.set(first)
  }
  return { existing, stored, dumpable }
}
