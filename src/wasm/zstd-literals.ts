// The literals of a Zstandard block: raw, or by a Huffman code that comes first, as the weights of its
// symbols. They are never all the same byte, for then so would be the page, and most of it a match. Source:
// RFC 8878, sections 3.1.1.3.1 and 4.2.

import { makeLengths } from './huffman'
import { bitsOf, costOf, firstState, highBit, makeTable, nextState, putShares, shareStates, tableSize } from './zstd-fse'

/** Longest code. */
const mostBits: u32 = 11

/** Fewer literals are not worth a table; up to here one stream is, and sizes of ten bits. */
const leastPacked: usize = 48
const mostInOneStream: usize = 1023

/** A u32 a byte value; four of them in turn, because one after the other would wait for the same counter. */
const counts = memory.data(4 << 10, 16)
const lengths = memory.data(256, 16)

/** A u32 a byte value: length << 16 | code. */
const codes = memory.data(256 << 2, 16)

/** A u8 a byte value: 0 when unused, else one more than the longest code's length, less its own. */
const weights = memory.data(256, 16)

/** By weight, u32: how many symbols; then where the next one's code is, in units of the longest codes. */
const weightCounts = memory.data(16 << 2, 16)
const nextCodes = memory.data(16 << 2, 16)

const weightLog: u32 = 6
const weightShares = memory.data(16 << 1, 16)
const weightTable = memory.data(tableSize, 16)

@inline function countByte(table: usize, byte: u64): void {
  const at = counts + (table << 10) + usize((byte & 255) << 2)
  store<u32>(at, load<u32>(at) + 1)
}

/** Returns the largest count. */
function countBytes(from: usize, end: usize): u32 {
  memory.fill(counts, 0, 4 << 10)
  for (; from + 8 <= end; from += 8) {
    const bytes = load<u64>(from)
    countByte(0, bytes)
    countByte(1, bytes >> 8)
    countByte(2, bytes >> 16)
    countByte(3, bytes >> 24)
    countByte(0, bytes >> 32)
    countByte(1, bytes >> 40)
    countByte(2, bytes >> 48)
    countByte(3, bytes >> 56)
  }
  for (; from < end; from++) countByte(0, load<u8>(from))
  let largest: u32 = 0
  for (let at: usize = counts; at < counts + 1024; at += 4) {
    const sum = load<u32>(at) + load<u32>(at, 1024) + load<u32>(at, 2048) + load<u32>(at, 3072)
    store<u32>(at, sum)
    largest = max(largest, sum)
  }
  return largest
}

/** Write the literals from `from` to `end`. Returns where they end. */
export function putLiterals(from: usize, end: usize, to: usize): usize {
  const size = end - from
  if (size < leastPacked) return putRaw(from, size, to)
  const largest = countBytes(from, end)
  // All values as often as the others.
  if (usize(largest) <= (size >> 7) + 4) return putRaw(from, size, to)
  // Few literals do not pay for the weights of long codes: 0.1 % smaller (measured).
  const limit = min(mostBits, max<u32>(9, highBit(u32(size) - 1)))
  makeLengths(counts, 256, limit, lengths)
  return putPacked(from, size, to)
}

function putRaw(from: usize, size: usize, to: usize): usize {
  if (size < 32) store<u8>(to++, u8(size << 3))
  else if (size < 4096) {
    store<u16>(to, u16(4 | (size << 4)))
    to += 2
  } else {
    store<u32>(to, 12 | (u32(size) << 4))
    to += 3
  }
  memory.copy(to, from, size)
  return to + size
}

function putPacked(from: usize, size: usize, to: usize): usize {
  let bits: u32 = 0
  let longest: u32 = 0
  let last: u32 = 0
  for (let i: u32 = 0; i < 256; i++) {
    const length: u32 = load<u8>(lengths + i)
    if (length == 0) continue
    bits += length * load<u32>(counts + (i << 2))
    longest = max(longest, length)
    last = i
  }
  const one = size <= mostInOneStream
  const headerSize: usize = one ? 3 : size < 16384 ? 4 : 5
  const streams = putWeights(longest, last, to + headerSize)
  // Each stream has an end mark, and three have their sizes written.
  const most = streams - to + (bits >> 3) + (one ? 1 : 10)
  if (streams == 0 || most >= size) return putRaw(from, size, to)
  makeCodes(last)
  let after: usize
  if (one) after = putStream(from, from + size, streams)
  else {
    const quarter = (size + 3) >> 2
    after = streams + 6
    for (let i: usize = 0; i < 4; i++) {
      const start = after
      after = putStream(from + i * quarter, i == 3 ? from + size : from + (i + 1) * quarter, start)
      if (i < 3) store<u16>(streams + (i << 1), u16(after - start))
    }
  }
  const packed = u64(after - to - headerSize)
  const sizeBits: u64 = one ? 10 : headerSize == 4 ? 14 : 18
  const format: u64 = one ? 0 : headerSize == 4 ? 2 : 3
  const header = 2 | (format << 2) | (u64(size) << 4) | (packed << (4 + sizeBits))
  store<u16>(to, u16(header))
  store<u8>(to, u8(header >> 16), 2)
  if (headerSize > 3) store<u8>(to, u8(header >> 24), 3)
  if (headerSize > 4) store<u8>(to, u8(header >> 32), 4)
  return after
}

/** Codes go up with the weights, and with the symbols of the same weight. */
function makeCodes(last: u32): void {
  let next: u32 = 0
  for (let weight: u32 = 1; weight <= mostBits; weight++) {
    store<u32>(nextCodes + (weight << 2), next)
    next += load<u32>(weightCounts + (weight << 2)) << (weight - 1)
  }
  for (let i: u32 = 0; i <= last; i++) {
    const weight: u32 = load<u8>(weights + i)
    if (weight == 0) continue
    const at = nextCodes + (weight << 2)
    const code = load<u32>(at)
    store<u32>(at, code + (1 << (weight - 1)))
    store<u32>(codes + (i << 2), (code >> (weight - 1)) | (u32(load<u8>(lengths + i)) << 16))
  }
}

/** Codes from the last literal to the first, for readers go backwards. Returns where they end. */
function putStream(from: usize, end: usize, to: usize): usize {
  let bits: u64 = 0
  let used: u64 = 0
  while (((end - from) & 3) != 0) {
    const code = load<u32>(codes + (usize(load<u8>(--end)) << 2))
    bits |= u64(code & 0xffff) << used
    used += code >> 16
  }
  while (true) {
    // There are 7 bits and four codes at most.
    store<u64>(to, bits)
    to += usize(used >> 3)
    bits >>= used & 56
    used &= 7
    if (end == from) break
    end -= 4
    const four = load<u32>(end)
    const d = load<u32>(codes + ((four >>> 24) << 2))
    bits |= u64(d & 0xffff) << used
    used += d >> 16
    const c = load<u32>(codes + (((four >>> 16) & 255) << 2))
    bits |= u64(c & 0xffff) << used
    used += c >> 16
    const b = load<u32>(codes + (((four >>> 8) & 255) << 2))
    bits |= u64(b & 0xffff) << used
    used += b >> 16
    const a = load<u32>(codes + ((four & 255) << 2))
    bits |= u64(a & 0xffff) << used
    used += a >> 16
  }
  store<u8>(to, u8(bits | (1 << used)))
  return to + 1
}

/**
 * The weights of all symbols but the last, which follows from the others: half a byte each, or packed where
 * that is shorter. Returns where they end, 0 when they cannot be written.
 */
function putWeights(longest: u32, last: u32, to: usize): usize {
  memory.fill(weightCounts, 0, 64)
  for (let i: u32 = 0; i <= last; i++) {
    const length: u32 = load<u8>(lengths + i)
    const weight = length == 0 ? 0 : longest + 1 - length
    store<u8>(weights + i, u8(weight))
    const at = weightCounts + (weight << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  const plain: usize = last <= 128 ? usize(last + 1) >> 1 : 128
  const packed = packWeights(last, to + 1)
  if (packed > to + 1 && packed - to - 1 < plain) {
    store<u8>(to, u8(packed - to - 1))
    return packed
  }
  if (last > 128) return 0
  store<u8>(to, u8(127 + last))
  for (let i: u32 = 0; i < last; i += 2) {
    const second: u32 = i + 1 < last ? load<u8>(weights + i + 1) : 0
    store<u8>(to + 1 + (i >> 1), u8((u32(load<u8>(weights + i)) << 4) | second))
  }
  return to + 1 + plain
}

/** By two states in turn. Returns where they end, `to` when they cannot be packed. */
function packWeights(count: u32, to: usize): usize {
  // The last one is not among them.
  const lastAt = weightCounts + (u32(load<u8>(weights + count)) << 2)
  store<u32>(lastAt, load<u32>(lastAt) - 1)
  const end = packCounted(count, to)
  store<u32>(lastAt, load<u32>(lastAt) + 1)
  return end
}

function packCounted(count: u32, to: usize): usize {
  if (count < 3) return to
  let kinds: u32 = 0
  for (let i: u32 = 0; i <= mostBits; i++) kinds += u32(load<u32>(weightCounts + (i << 2)) != 0)
  if (kinds < 2) return to
  shareStates(weightCounts, mostBits + 1, count, weightLog, weightShares)
  to = putShares(weightShares, weightLog, to)
  makeTable(weightShares, mostBits + 1, weightLog, weightTable)
  let i = count - 1
  let own = firstState(weightTable, load<u8>(weights + i--))
  let other = firstState(weightTable, load<u8>(weights + i))
  let bits: u64 = 0
  let used: u32 = 0
  // The state of this turn is that of two symbols ago.
  while (i-- > 0) {
    const symbol: u32 = load<u8>(weights + i)
    const width = bitsOf(weightTable, symbol, own)
    bits |= u64(own & ((1 << width) - 1)) << used
    used += width
    const next = nextState(weightTable, symbol, own, width)
    own = other
    other = next
    if (used > 40) {
      store<u64>(to, bits)
      to += used >> 3
      bits >>= used & 56
      used &= 7
    }
  }
  // The reader begins with the state that is the later one here.
  const mask: u32 = (1 << weightLog) - 1
  bits |= u64(own & mask) << used
  used += weightLog
  bits |= u64(other & mask) << used
  used += weightLog
  bits |= u64(1) << used
  store<u64>(to, bits)
  return to + (used >> 3) + 1
}
