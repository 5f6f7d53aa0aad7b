// What the encoders of bytes (lzo, snappy) share: where four bytes were seen last, how fast the search
// goes on, and long loads and stores. Those reach up to 16 bytes past the page and past what is packed;
// the caller sees to it that there is memory.

/** log2 of the most slots; an encoder says with `bits` how many it uses: the more, the slower. */
const mostBits = 14

/** u16 offsets into the page. In a slot never used stands the offset 0, as good as any: matches are compared. */
const table = memory.data(2 << mostBits, 16)

/** Nothing of one page may show in the next. */
export function forgetPage(bits: u32): void {
  const size: usize = 2 << bits
  if (ASC_FEATURE_SIMD) {
    // Faster than memory.fill(), which is a call out of WASM.
    const zero = i64x2.splat(0)
    for (let at: usize = table; at < table + size; at += 64) {
      v128.store(at, zero)
      v128.store(at, zero, 16)
      v128.store(at, zero, 32)
      v128.store(at, zero, 48)
    }
  } else memory.fill(table, 0, size)
}

/**
 * Where in the page the four bytes `word` at `at` may have stood before, which is for the caller to see;
 * whoever asks next gets `at`.
 */
@inline export function lastSeen(word: u32, bits: u32, page: usize, at: usize): usize {
  const slot = table + usize(((word * 0x9e3779b1) >> (32 - bits)) << 1)
  const from = page + load<u16>(slot)
  store<u16>(slot, u16(at - page))
  return from
}

/**
 * The search goes on by pace / 32 bytes: one by one at first, faster the longer nothing was found, so
 * that bytes that cannot be packed cost little.
 */
export const firstPace: usize = 32
export const paceShift: usize = 5
export const paceGrowth: usize = 2

/** Bytes that equal those `distance` before them from `at` on; up to `end`. Returns where they end. */
export function matchEnd(at: usize, distance: usize, end: usize): usize {
  for (; at < end; at += 8) {
    const difference = load<u64>(at) ^ load<u64>(at - distance)
    if (difference != 0) return min(end, at + usize(ctz(difference) >> 3))
  }
  return end
}

@inline export function copy16(from: usize, to: usize): void {
  if (ASC_FEATURE_SIMD) v128.store(to, v128.load(from))
  else {
    store<u64>(to, load<u64>(from))
    store<u64>(to, load<u64>(from, 8), 8)
  }
}

/** Copies in pieces of 16 bytes. Returns the end of the copy. */
@inline export function copyRun(from: usize, length: usize, to: usize): usize {
  const end = to + length
  do {
    copy16(from, to)
    from += 16
    to += 16
  } while (to < end)
  return end
}
