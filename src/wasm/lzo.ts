// LZO1X blocks without header, as lzo1x_decompress_safe takes them: see src/core/codecs/lzo.ts for what
// the instructions look like. One table look-up a position, no second thoughts: speed is what lzo is for.
// Source: Linux Documentation/staging/lzo.rst, which describes the format.
//
// Worst case: every match saves a byte or more. A run of n literals takes none more than n when n < 4, 1
// when n <= 18, else 2 + (n - 18) / 255. So only runs of 19 and more make a page longer, by 1 + n / 255
// bytes each, beside the first run and the end: less than size / 19 + size / 255 + 8 in all.

import { copy16, copyRun, firstPace, forgetPage, lastSeen, matchEnd, paceGrowth, paceShift } from './match'

/** 4096 slots. Twice as many find 1 % more in large pages and cost 6 % of the speed (measured). */
const slotBits = 12

/** The farthest of each kind of match. A far one from exactly 0x4000 back would be the end. */
const farthest: usize = 0xbfff
const farthestMiddle: usize = 0x4000
const farthestNear: usize = 0x800

/** The rest of a length that did not fit its instruction: 255 for every zero, then what is left, 1 to 255. */
function putRest(rest: usize, to: usize): usize {
  for (; rest > 255; rest -= 255) store<u8>(to++, 0)
  store<u8>(to++, u8(rest))
  return to
}

/** Literals behind a match: up to three are counted in the match's own last bits, two bytes back. */
@inline function putLiterals(from: usize, length: usize, to: usize): usize {
  if (length > 16) return putLongRun(from, length, to)
  if (length < 4) {
    store<u8>(to - 2, load<u8>(to - 2) | u8(length))
    store<u32>(to, load<u32>(from))
    return to + length
  }
  store<u8>(to, u8(length - 3))
  copy16(from, to + 1)
  return to + 1 + length
}

function putLongRun(from: usize, length: usize, to: usize): usize {
  if (length <= 18) {
    store<u8>(to++, u8(length - 3))
  } else {
    store<u8>(to++, 0)
    to = putRest(length - 18, to)
  }
  return copyRun(from, length, to)
}

/** The first literals have no match before them. */
function putFirstRun(from: usize, length: usize, to: usize): usize {
  if (length > 238) return putLongRun(from, length, to)
  store<u8>(to, u8(17 + length))
  return copyRun(from, length, to + 1)
}

/** A match too long or from too far for the short forms. */
function putMatch(length: usize, distance: usize, to: usize): usize {
  const middle = distance <= farthestMiddle
  const past = distance - (middle ? 1 : farthestMiddle)
  const code: usize = middle ? 32 : 16 | ((past & 0x4000) >> 11)
  const most: usize = middle ? 33 : 9
  if (length <= most) {
    store<u8>(to++, u8(code | (length - 2)))
  } else {
    store<u8>(to++, u8(code))
    to = putRest(length - most, to)
  }
  store<u16>(to, u16(past << 2))
  return to + 2
}

/** Pack `size` bytes at `page` to `output`. Returns the packed length. */
export function packLzo(page: usize, size: i32, output: usize): i32 {
  forgetPage(slotBits)
  const end = page + size
  // From here on, a match found by a look-up and its first 12 bytes are inside the page.
  const last = end - 12
  let to = output
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
    const distance = at - from
    if (distance > farthest) {
      at++
      continue
    }
    to = to == output ? putFirstRun(done, at - done, to) : putLiterals(done, at - done, to)
    pace = firstPace
    const difference = load<u64>(at, 4) ^ load<u64>(from, 4)
    if (difference != 0 && distance <= farthestMiddle) {
      // Most matches: 4 to 11 bytes, whose two forms fit a word.
      const length = u32(4 + (ctz(difference) >> 3))
      const past = u32(distance) - 1
      const near = length <= 8 && distance <= farthestNear
      store<u32>(
        to,
        near ? ((length - 1) << 5) | ((past & 7) << 2) | ((past >> 3) << 8) : 32 | (length - 2) | (past << 10),
      )
      to += near ? 2 : 3
      done = at + length
    } else {
      done = matchEnd(at + 4, distance, end)
      to = putMatch(done - at, distance, to)
    }
    at = done
    lastSeen(load<u32>(at - 1), slotBits, page, at - 1)
  }
  if (done != end) to = to == output ? putFirstRun(done, end - done, to) : putLiterals(done, end - done, to)
  // The end: a far match from farthestMiddle back.
  store<u32>(to, 0x11)
  return i32(to + 3 - output)
}
