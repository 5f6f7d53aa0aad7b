// What a Zstandard block says: literals, and sequences "so many literals, then so many bytes from that far
// back". Source: RFC 8878, section 3.1.1.3.2.

import { copyRun, forgetPage, lastSeen, matchEnd } from './match'

/** log2 of the slots of the search: large pages are 0.7 % smaller with twice as many (measured). */
@inline function slotBitsFor(size: usize): u32 {
  return size > 16384 ? 13 : 12
}

/** Shortest match, and from how far back it is worth a sequence; the worst case in zstd.ts counts on it. */
const leastMatch: usize = 4
const farthestLeast: usize = 8192

/** The search skips a byte more after so many bytes (2^7) without a match. */
const paceShift: usize = 7

/** Largest page. */
const mostBytes = 65536

/** The literals, one behind the other; copies write up to 15 bytes more. */
export const literals = memory.data(mostBytes + 16, 16)

/** A u64 a sequence: literals, match length - 3 << 16, offset value << 32. */
export const sequences = memory.data((mostBytes / 4) << 3, 16)

export let literalsEnd: usize = 0
export let sequencesEnd: usize = 0

/** Fills `literals` and `sequences`. */
export function findMatches(page: usize, size: usize): void {
  const slotBits = slotBitsFor(size)
  forgetPage(slotBits)
  const end = page + size
  const last = end - 8
  // The distances used last; the format begins with these.
  let recent: usize = 1
  let older: usize = 4
  let oldest: usize = 8
  let toLiterals: usize = literals
  let toSequences: usize = sequences
  let done = page
  let at = page + 1
  while (at < last) {
    const bytes = load<u64>(at)
    let from = lastSeen(u32(bytes), slotBits, page, at)
    let start = at
    let stop: usize
    let value: usize
    if (u32(bytes >> 8) == load<u32>(at + 1 - recent)) {
      start = at + 1
      stop = matchEnd(start + leastMatch, recent, end)
      value = 1
    } else {
      const same = usize(ctz(bytes ^ load<u64>(from)) >> 3)
      const distance = at - from
      if (same < leastMatch || (same == leastMatch && distance > farthestLeast)) {
        at += 1 + ((at - done) >> paceShift)
        continue
      }
      stop = same < 8 ? at + same : matchEnd(at + 8, distance, end)
      while (start > done && from > page && load<u8>(start - 1) == load<u8>(from - 1)) {
        start--
        from--
      }
      // Values up to 3 are the recent distances. When no literal comes before they are 1 less, and only the
      // oldest can be met: the others were tried where the match before ended.
      value = distance + 3
      if (distance == recent) value = 1
      else {
        if (distance == older) value = 2
        else {
          if (distance == oldest) value = start > done ? 3 : 2
          oldest = older
        }
        older = recent
        recent = distance
      }
    }
    const count = start - done
    copyRun(done, count, toLiterals)
    toLiterals += count
    store<u64>(toSequences, u64(count) | (u64(stop - start - 3) << 16) | (u64(value) << 32))
    toSequences += 8
    if (stop < last) {
      lastSeen(load<u32>(at + 2), slotBits, page, at + 2)
      lastSeen(load<u32>(stop - 2), slotBits, page, stop - 2)
    }
    // Another match at once, as far back as the one before the last.
    while (stop < last && load<u32>(stop) == load<u32>(stop - older)) {
      const next = matchEnd(stop + leastMatch, older, end)
      lastSeen(load<u32>(stop), slotBits, page, stop)
      store<u64>(toSequences, (u64(next - stop - 3) << 16) | (1 << 32))
      toSequences += 8
      const swap = older
      older = recent
      recent = swap
      stop = next
    }
    done = stop
    at = stop
  }
  copyRun(done, end - done, toLiterals)
  literalsEnd = toLiterals + (end - done)
  sequencesEnd = toSequences
}
