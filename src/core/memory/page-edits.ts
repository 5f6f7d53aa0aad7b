// Parts of physical memory that read as something else than what was there: wiped secrets. Numbers in
// arrays, so that threads get them cheaply and a page without any costs one search.

import type { PhysAddr } from '../address.ts'
import { makeRanges, type Range, type Ranges, subtract } from '../ranges.ts'
import type { PhysicalMemory } from './physical.ts'

/** As makedumpfile fills what it erases. */
const eraseFill = 0x58

export interface PageEdits {
  /** [start, end) of each part: sorted, disjoint. */
  readonly starts: Float64Array
  readonly ends: Float64Array
  /** What each is filled with. */
  readonly fills: Uint8Array
}

/** Where both are asked for, erasing wins. */
export function makePageEdits(erased: Iterable<Range>, zeroed: Iterable<Range>): PageEdits {
  const wiped = makeRanges(erased)
  const parts = [
    ...wiped.map((range) => ({ ...range, fill: eraseFill })),
    ...subtract(makeRanges(zeroed), wiped).map((range) => ({ ...range, fill: 0 })),
  ].sort((a, b) => a.start - b.start)
  return {
    starts: Float64Array.from(parts, ({ start }) => start),
    ends: Float64Array.from(parts, ({ end }) => end),
    fills: Uint8Array.from(parts, ({ fill }) => fill),
  }
}

/** Change `bytes`, which were read from `address`. */
export function applyEdits({ starts, ends, fills }: PageEdits, address: PhysAddr, bytes: Uint8Array): void {
  const end = address + bytes.length
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ends[middle] as number) <= address) low = middle + 1
    else high = middle
  }
  for (; low < starts.length && (starts[low] as number) < end; low++) {
    const from = Math.max(starts[low] as number, address)
    bytes.fill(fills[low] as number, from - address, Math.min(ends[low] as number, end) - address)
  }
}

/** The memory as it is after the edits. Closing it closes the memory below. */
export function editMemory(memory: PhysicalMemory, edits: PageEdits): PhysicalMemory {
  return {
    get ranges(): Ranges {
      return memory.ranges
    },
    read(address, into) {
      memory.read(address, into)
      applyEdits(edits, address, into)
    },
    storedPages: (pageSize) => memory.storedPages(pageSize),
    [Symbol.dispose]: () => memory[Symbol.dispose](),
  }
}
