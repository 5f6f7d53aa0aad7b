// What a kernel says of itself, as far as architectures need it.

import type { VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'

/** Symbols, sizes and numbers by the kernel's names; VMCOREINFO is one. */
export interface KernelFacts {
  symbol(name: string): VirtAddr | undefined
  number(name: string): bigint | undefined
  offset(member: string): number | undefined
  size(type: string): number | undefined
  /** `KEY=`, a hexadecimal number without a prefix. */
  hex(key: string): bigint | undefined
}

/** `value`, or a KernelError that names the missing key. */
export function required<T>(value: T | undefined, key: string): T {
  if (value === undefined) {
    throw new KernelError(`the dump's VMCOREINFO has no usable ${key}`, {
      hint: 'the kernel is older than what we know, or the note is damaged',
    })
  }
  return value
}
