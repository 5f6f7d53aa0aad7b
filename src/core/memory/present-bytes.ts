// Searches look through memory of which parts may be missing: zeros stand for those.

import type { VirtAddr } from '../address.ts'
import { FaultError } from '../errors.ts'
import type { VirtualMemory } from './virtual.ts'

/** Bytes [start, start + size): what is in the dump, and zeros for the pages that are not. */
export function presentBytes(memory: VirtualMemory, start: VirtAddr, size: number): Buffer {
  const bytes = Buffer.alloc(size)
  if (tryFill(memory, start, bytes)) return bytes
  const { pageSize } = memory
  for (let at = 0; at < size; ) {
    const length = Math.min(size - at, pageSize - Number((start + BigInt(at)) % BigInt(pageSize)))
    const page = bytes.subarray(at, at + length)
    if (!tryFill(memory, start + BigInt(at), page)) page.fill(0)
    at += length
  }
  return bytes
}

function tryFill(memory: VirtualMemory, start: VirtAddr, into: Uint8Array): boolean {
  try {
    memory.read(start, into)
    return true
  } catch (error) {
    if (error instanceof FaultError) return false
    throw error
  }
}
