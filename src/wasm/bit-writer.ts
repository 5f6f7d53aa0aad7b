// Bits to memory, the lowest first, eight bytes at a time. A loop that writes much takes the three in
// variables of its own, and gives them back.

/** Bits not yet in memory, how many, and where they go. Fewer than 8 after flushBits(). */
export let pending: u64 = 0
export let pendingCount: u64 = 0
export let writeTo: usize = 0

export function setWriter(bits: u64, count: u64, to: usize): void {
  pending = bits
  pendingCount = count
  writeTo = to
}

/** Up to 56 bits between two flushBits(). */
@inline export function putBits(bits: u64, count: u32): void {
  pending |= bits << pendingCount
  pendingCount += count
}

@inline export function flushBits(): void {
  store<u64>(writeTo, pending)
  writeTo += usize(pendingCount >> 3)
  pending >>= pendingCount & 56
  pendingCount &= 7
}
