// Raw Snappy blocks: see src/core/codecs/snappy.ts for what the elements look like.
// Source: format_description.txt of the Snappy project.
//
// Worst case: every copy saves a byte or more. A literal takes 1 byte more than its length up to 60, 2
// up to 256, else 3. So only literals of 61 and more make a page longer, by 2 bytes each, beside the
// first one and the length: less than size / 30 + 8 in all.

import { copy16, copyRun, firstPace, forgetPage, lastSeen, matchEnd, paceGrowth, paceShift } from './match'

/** Low two bits of an element's first byte. */
namespace kind {
  export const copy1 = 1
  export const copy2 = 2
}

/** Distances of the shorter copy, which has a length of 4 to 11, are less. */
const nearLimit: usize = 0x800

@inline function putLiteral(from: usize, length: usize, to: usize): usize {
  if (length > 16) return putLongLiteral(from, length, to)
  // All of 16 bytes is quicker than to ask how many.
  store<u8>(to, u8((length - 1) << 2))
  copy16(from, to + 1)
  return to + 1 + length
}

function putLongLiteral(from: usize, length: usize, to: usize): usize {
  const less = length - 1
  if (length <= 60) {
    store<u8>(to++, u8(less << 2))
  } else if (length <= 256) {
    store<u16>(to, u16((60 << 2) | (less << 8)))
    to += 2
  } else {
    store<u8>(to, 61 << 2)
    store<u16>(to, u16(less), 1)
    to += 3
  }
  return copyRun(from, length, to)
}

/** A copy of 4 to 64 bytes. */
@inline function putCopy(length: u32, distance: u32, to: usize): usize {
  const near = length < 12 && distance < nearLimit
  store<u32>(
    to,
    near
      ? kind.copy1 | ((length - 4) << 2) | ((distance >> 8) << 5) | ((distance & 0xff) << 8)
      : kind.copy2 | ((length - 1) << 2) | (distance << 8),
  )
  return to + (near ? 2 : 3)
}

/** Of 64 bytes each, except for what makes the last one 4 or more. */
function putCopies(length: usize, distance: usize, to: usize): usize {
  for (; length >= 68; length -= 64) to = putCopy(64, u32(distance), to)
  if (length > 64) {
    to = putCopy(60, u32(distance), to)
    length -= 60
  }
  return putCopy(u32(length), u32(distance), to)
}

/** The unpacked length, seven bits a byte. */
function putLength(length: u32, to: usize): usize {
  for (; length > 0x7f; length >>= 7) store<u8>(to++, u8(length | 0x80))
  store<u8>(to, u8(length))
  return to + 1
}

/** Pack `size` bytes at `page`, at most 64 KiB, to `output`. Returns the packed length. */
export function packSnappy(page: usize, size: i32, output: usize): i32 {
  // In large pages, fewer slots than these find 2 % less (measured).
  const slotBits = size > 16384 ? 14 : 12
  forgetPage(slotBits)
  const end = page + size
  // From here on, a match found by a look-up and its first 12 bytes are inside the page.
  const last = end - 12
  let to = putLength(size, output)
  let done = page
  let at = page + 1
  let pace = firstPace
  while (at < last) {
    const word = load<u32>(at)
    const from = lastSeen(word, slotBits, page, at)
    if (load<u32>(from) != word) {
      at += pace >> paceShift
      pace += paceGrowth
      continue
    }
    if (at != done) to = putLiteral(done, at - done, to)
    pace = firstPace
    const distance = at - from
    const difference = load<u64>(at, 4) ^ load<u64>(from, 4)
    if (difference != 0) {
      const length = u32(4 + (ctz(difference) >> 3))
      to = putCopy(length, u32(distance), to)
      at += length
    } else {
      const next = matchEnd(at + 12, distance, end)
      to = putCopies(next - at, distance, to)
      at = next
    }
    done = at
    lastSeen(load<u32>(at - 1), slotBits, page, at - 1)
  }
  if (done != end) to = putLiteral(done, end - done, to)
  return i32(to - output)
}
