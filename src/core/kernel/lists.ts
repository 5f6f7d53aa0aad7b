// Lists of the kernel. Source: Linux include/linux/list.h.

import { hex, type VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { VirtualMemory } from '../memory/virtual.ts'

/**
 * Addresses of the struct list_heads in the list's elements, in order. `next` is the first word of each.
 * @throws {KernelError} more than `limit` elements, or the list does not come back to its head
 * @throws {FaultError} an element is not in the dump
 */
export function* walkList(memory: VirtualMemory, head: VirtAddr, limit: number): Generator<VirtAddr> {
  const check = makeChainCheck(`the list at ${hex(head)}`, limit)
  for (let at = memory.u64(head); at !== head; at = memory.u64(at)) {
    check(at)
    yield at
  }
}

/**
 * To be called with each element of a chain. It remembers one of them, the last whose number is a power
 * of two, and so notices a circle within three times its length.
 * @throws {KernelError} a circle, or more than `limit` elements
 */
export function makeChainCheck(what: string, limit: number): (at: VirtAddr) => void {
  let count = 0
  let marked: VirtAddr | undefined
  let next = 1
  return (at) => {
    if (at === marked) throw new KernelError(`${what} runs in a circle`)
    if (++count > limit) throw new KernelError(`${what} has more than ${limit} elements`)
    if (count < next) return
    marked = at
    next *= 2
  }
}
