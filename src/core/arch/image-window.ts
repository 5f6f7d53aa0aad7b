// The kernel image, where it lies in physical memory in one piece at a stated distance from its addresses.

import type { Mapping } from '../memory/virtual.ts'
import type { KernelFacts } from './facts.ts'

/** Architectures have at most 56 physical address bits, and numbers are exact up to 53. */
const physicalEnd = 1n << 52n

/**
 * From the start of the text to the last symbol that VMCOREINFO names: the image is larger, never smaller.
 * `offset` is virtual minus physical, modulo 2^64.
 */
export function imageWindow(facts: KernelFacts, pageSize: number, offset: bigint): Mapping | undefined {
  const start = facts.symbol('_stext')
  if (start === undefined) return undefined
  let last = start
  for (const name of ['swapper_pg_dir', 'init_uts_ns', 'node_online_map', 'prb', 'clear_seq']) {
    const symbol = facts.symbol(name) ?? 0n
    if (symbol > last && symbol - start < 1n << 30n) last = symbol
  }
  const physical = BigInt.asUintN(64, start - offset)
  if (physical >= physicalEnd) return undefined
  return { start, end: last + BigInt(pageSize), physical: Number(physical) }
}
