// Reads pages of a dump for copying. Memory that never existed inside a page (a segment that starts or
// ends between page boundaries) reads as zeros, as in makedumpfile; memory that existed and cannot be
// had makes the page a lost one, and the copy goes on.

import { DumpError } from '../errors.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import { findRange, intersect, type Ranges } from '../ranges.ts'

/**
 * Fill `into` with [address, address + into.length), both multiples of `pageSize`. Lost pages are all
 * zero; returns their numbers, counted from `address`.
 */
export function readPages(
  memory: PhysicalMemory,
  pageSize: number,
  address: number,
  into: Uint8Array,
): readonly number[] {
  if (tryRead(memory, address, into)) return noneLost
  const lost: number[] = []
  for (let at = 0; at < into.length; at += pageSize) {
    const page = into.subarray(at, at + pageSize)
    if (!readPage(memory, address + at, page)) lost.push(at / pageSize)
  }
  return lost
}

const noneLost: readonly number[] = []

/** False when the page is lost; `page` is zero then. */
function readPage(memory: PhysicalMemory, address: number, page: Uint8Array): boolean {
  if (tryRead(memory, address, page)) return true
  page.fill(0)
  const parts = rangesWithin(memory.ranges, address, address + page.length)
  const read = ({ start, end }: { start: number; end: number }): boolean =>
    tryRead(memory, start, page.subarray(start - address, end - address))
  // One part that is the whole page has been tried already.
  const whole = parts[0]?.start === address && parts[0].end === address + page.length
  if (!whole && parts.every(read)) return true
  page.fill(0)
  return false
}

function rangesWithin(ranges: Ranges, start: number, end: number): Ranges {
  const first = findRange(ranges, start)
  if (first !== undefined && first.end >= end) return [{ start, end }]
  return intersect(ranges, [{ start, end }])
}

function tryRead(memory: PhysicalMemory, address: number, into: Uint8Array): boolean {
  try {
    memory.read(address, into)
    return true
  } catch (error) {
    if (error instanceof DumpError) return false
    throw error
  }
}
