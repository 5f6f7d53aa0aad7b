// Zero test over a batch of pages. Raw memory: the caller owns it and says where things are.

/**
 * Which of `count` pages of `pageSize` bytes (a multiple of 64) from `pages` on hold only zeros: one
 * byte a page from `flags` on, 1 when it does. Returns how many do. `pages` is 16-byte aligned.
 */
export function findZeroPages(pages: usize, pageSize: usize, count: u32, flags: usize): u32 {
  let found: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    const zero = isZero(pages, pageSize)
    store<u8>(flags + i, u8(zero))
    found += u32(zero)
    pages += pageSize
  }
  return found
}

/** Looks at 64 bytes a turn: most pages that are not zero say so in the first turn. */
export function isZero(at: usize, size: usize): bool {
  const end = at + size
  if (ASC_FEATURE_SIMD) {
    for (; at < end; at += 64) {
      const low = v128.or(v128.load(at), v128.load(at, 16))
      const high = v128.or(v128.load(at, 32), v128.load(at, 48))
      if (v128.any_true(v128.or(low, high))) return false
    }
  } else {
    for (; at < end; at += 64) {
      const low = load<u64>(at) | load<u64>(at, 8) | load<u64>(at, 16) | load<u64>(at, 24)
      const high = load<u64>(at, 32) | load<u64>(at, 40) | load<u64>(at, 48) | load<u64>(at, 56)
      if ((low | high) != 0) return false
    }
  }
  return true
}
