// Reads pages of a dump for copying. Memory that never existed inside a page (a segment that starts or
// ends between page boundaries) reads as zeros, as in makedumpfile; memory that existed and cannot be
// had makes the page a lost one, and the copy goes on.

import { DumpError } from '../errors.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import { clip, contains, type Range } from '../ranges.ts'

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
  if (isWhole(memory, address, into) && tryRead(memory, address, into)) return noneLost
  const lost: number[] = []
  for (let at = 0; at < into.length; at += pageSize) {
    const page = into.subarray(at, at + pageSize)
    if (!readPage(memory, address + at, page)) lost.push(at / pageSize)
  }
  return lost
}

const noneLost: readonly number[] = []

/** A read that meets a hole throws, and errors are slow; a dump may have a hole in every page. */
const isWhole = ({ ranges }: PhysicalMemory, address: number, into: Uint8Array): boolean =>
  contains(ranges, { start: address, end: address + into.length })

/** False when the page is lost; `page` is zero then. */
function readPage(memory: PhysicalMemory, address: number, page: Uint8Array): boolean {
  page.fill(0)
  const parts = clip(memory.ranges, { start: address, end: address + page.length })
  const read = ({ start, end }: Range): boolean =>
    tryRead(memory, start, page.subarray(start - address, end - address))
  if (parts.every(read)) return true
  page.fill(0)
  return false
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
