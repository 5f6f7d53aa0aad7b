// Lists of the kernel. Source: Linux include/linux/list.h.

import { hex, type VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { VirtualMemory } from '../memory/virtual.ts'

/**
 * Addresses of the struct list_heads in the list's elements, in order. `next` is the first word of each.
 * @throws {KernelError} more than `limit` elements: the list does not come back to its head
 * @throws {FaultError} an element is not in the dump
 */
export function* walkList(memory: VirtualMemory, head: VirtAddr, limit: number): Generator<VirtAddr> {
  let count = 0
  for (let at = memory.u64(head); at !== head; at = memory.u64(at)) {
    if (++count > limit) throw new KernelError(`the list at ${hex(head)} has more than ${limit} elements`)
    yield at
  }
}
