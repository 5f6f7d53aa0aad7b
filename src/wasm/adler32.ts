// The checksum behind a zlib stream (RFC 1950, 9): a sum of the bytes and a sum of those sums.

const base: u32 = 65521

/** Bytes between two reductions: with it the sums, and those of any lane, stay below 2^32. */
const stretch: usize = 4096

/** The Adler-32 of `size` bytes, a multiple of 4096. */
export function adler32(at: usize, size: usize): u32 {
  let low: u32 = 1
  let high: u32 = 0
  for (const end = at + size; at < end; at += stretch) {
    high += low * u32(stretch)
    if (ASC_FEATURE_SIMD) {
      let sums = i32x4.splat(0)
      let sumsOfSums = i32x4.splat(0)
      let weighted = i32x4.splat(0)
      for (let i: usize = 0; i < stretch; i += 16) {
        const bytes = v128.load(at + i)
        const first = i16x8.extend_low_i8x16_u(bytes)
        const second = i16x8.extend_high_i8x16_u(bytes)
        sumsOfSums = i32x4.add(sumsOfSums, sums)
        sums = i32x4.add(sums, i32x4.extadd_pairwise_i16x8_u(i16x8.add(first, second)))
        weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(first, i16x8(16, 15, 14, 13, 12, 11, 10, 9)))
        weighted = i32x4.add(weighted, i32x4.dot_i16x8_s(second, i16x8(8, 7, 6, 5, 4, 3, 2, 1)))
      }
      low += sumLanes(sums)
      high += (sumLanes(sumsOfSums) << 4) + sumLanes(weighted)
    } else {
      // What each byte adds to `high` is its distance from the end of the stretch.
      for (let i: usize = 0; i < stretch; i++) {
        const byte = u32(load<u8>(at + i))
        low += byte
        high += byte * u32(stretch - i)
      }
    }
    low %= base
    high %= base
  }
  return (high << 16) | low
}

@inline function sumLanes(lanes: v128): u32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  )
}
