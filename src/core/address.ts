// The two kinds of address and page arithmetic. Physical addresses and page frame numbers are numbers
// (checked to be safe integers where they enter), virtual addresses are bigints: the compiler then
// refuses to mix them.

/** Bytes from the start of physical memory. */
export type PhysAddr = number
/** Page frame number: physical address / page size. */
export type Pfn = number
/** Kernel virtual address, 0 ≤ a < 2^64. */
export type VirtAddr = bigint

export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB
export const TiB = 1024 * GiB

/** Greatest multiple of `unit` that is not above `value`. */
export const alignDown = (value: number, unit: number): number => value - (value % unit)

/** Smallest multiple of `unit` that is not below `value`. */
export const alignUp = (value: number, unit: number): number => alignDown(value + unit - 1, unit)

export const isPowerOfTwo = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value))

/** An address as people and JSON see it: `0x14000000`. */
export const hex = (value: number | bigint, digits = 0): string =>
  `0x${value.toString(16).padStart(digits, '0')}`

export const hexOrNone = (value: number | bigint | undefined): string | undefined =>
  value === undefined ? undefined : hex(value)
