// What deflate finds in a page: sequences of some literals and a match, and how often each symbol occurs.
// Matches are of four bytes or more: those of three are few in memory, and seldom a gain.

import { matchEnd } from './match'

/** log2 of the number of buckets. Each has the offsets of the two latest places of four bytes, the older one in the upper half. */
const bucketBits = 12
const buckets = memory.data(4 << bucketBits, 16)

/** u64 each: number of literals | length of the match << 20 | (its distance - 1) << 32. The last one has no match. */
export const sequences = memory.data((65536 / 4 + 1) << 3, 16)

/** u32 each: how often each literal, the end and each length code occur, and each distance code. */
export const literalCounts = memory.data(288 << 2, 16)
export const distanceCounts = memory.data(30 << 2, 16)

export const endOfBlock: u32 = 256

/** The limits of the format. */
const longest: usize = 258
const farthest: usize = 32768

/** A match as long is taken without a look at the one that starts a byte later. */
const goodLength: usize = 32

/** 257 to 285; `past` is the length less 3. */
@inline export function lengthSymbol(past: u32): u32 {
  if (past < 8) return 257 + past
  if (past == 255) return 285
  const log = 31 - clz(past)
  return 253 + (log << 2) + ((past >> (log - 2)) & 3)
}

/** 0 to 29; `past` is the distance less 1. */
@inline export function distanceSymbol(past: u32): u32 {
  if (past < 4) return past
  const log = 31 - clz(past)
  return (log << 1) + ((past >> (log - 1)) & 1)
}

/** Fills `sequences` and the counts. */
export function findSequences(page: usize, size: usize): void {
  memory.fill(buckets, 0, 4 << bucketBits)
  memory.fill(literalCounts, 0, 288 << 2)
  memory.fill(distanceCounts, 0, 30 << 2)
  const end = page + size
  // Four bytes and what is remembered of a match are inside the page before it.
  const last = end - 8
  let to: usize = sequences
  let done = page
  // In a bucket never used stands the offset 0, a place as good as any for all bytes but the first.
  countOne(literalCounts, load<u8>(page))
  let at = page + 1
  while (at < last) {
    let distance = findMatch(page, at, at, end)
    if (distance == 0) {
      // The longer nothing was found, the less is looked for.
      const next = min(last, at + 1 + ((at - done) >> 7))
      while (at < next) countOne(literalCounts, load<u8>(at++))
      continue
    }
    let stop = matchStop
    while (stop - at < goodLength && at + 1 < last) {
      const longer = findMatch(page, at + 1, stop - 2, end)
      if (longer == 0) break
      countOne(literalCounts, load<u8>(at++))
      distance = longer
      stop = matchStop
    }
    to = putMatch(to, at - done, stop - at, distance)
    if (stop < last) {
      // Its second byte was looked up; of the others a few do.
      remember(page, at + 2)
      remember(page, at + 3)
      remember(page, stop - 2)
      remember(page, stop - 1)
    }
    done = stop
    at = stop
  }
  for (; at < end; at++) countOne(literalCounts, load<u8>(at))
  countOne(literalCounts, endOfBlock)
  store<u64>(to, u64(end - done))
}

/** Where the match that findMatch() found ends. */
let matchStop: usize = 0

/**
 * The distance of the longest match at `at` that takes in the four bytes at `tail`, 0 when there is none.
 * Those are compared first.
 */
@inline function findMatch(page: usize, at: usize, tail: usize, end: usize): usize {
  const places = takePlaces(page, at)
  const latest = at - page - (places & 0xffff)
  const older = at - page - (places >>> 16)
  const word = load<u32>(tail)
  const latestFits = load<u32>(tail - latest) == word
  const olderFits = load<u32>(tail - older) == word
  // One branch instead of two, which hardly any literal takes.
  if (!(u32(latestFits) | u32(olderFits))) return 0
  let distance: usize = 0
  matchStop = tail + 3
  const first = tail == at ? at + 4 : at
  if (latestFits && latest <= farthest) {
    const stop = matchEnd(first, latest, end)
    if (stop > matchStop) {
      distance = latest
      matchStop = stop
    }
  }
  if (olderFits && older <= farthest) {
    const stop = matchEnd(first, older, end)
    if (stop > matchStop) {
      distance = older
      matchStop = stop
    }
  }
  return distance
}

@inline function countOne(counts: usize, symbol: u32): void {
  const at = counts + (symbol << 2)
  store<u32>(at, load<u32>(at) + 1)
}

/** Offsets of the two latest places of the four bytes at `at`, which becomes the latest. */
@inline function takePlaces(page: usize, at: usize): u32 {
  const bucket = buckets + usize(((load<u32>(at) * 0x9e3779b1) >> (32 - bucketBits)) << 2)
  const places = load<u32>(bucket)
  store<u32>(bucket, (places << 16) | u32(at - page))
  return places
}

@inline function remember(page: usize, at: usize): void {
  takePlaces(page, at)
}

/** A match of any length, as several when it is too long for one. */
@inline function putMatch(to: usize, literals: usize, length: usize, distance: usize): usize {
  const past = u32(distance) - 1
  while (length > 0) {
    // No part is shorter than 3.
    const part = length <= longest ? length : length - longest < 3 ? length - 3 : longest
    store<u64>(to, u64(literals) | (u64(part) << 20) | (u64(past) << 32))
    countOne(literalCounts, lengthSymbol(u32(part) - 3))
    countOne(distanceCounts, distanceSymbol(past))
    to += 8
    literals = 0
    length -= part
  }
  return to
}
