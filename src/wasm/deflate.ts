// zlib streams (RFC 1950) of one deflate block (RFC 1951) a page, at the pace and about the size of zlib's
// level 1, which makedumpfile -c uses.
//
// The size is known before anything is written: a page that does not get smaller is not written at all,
// so no more than `size` bytes are, and up to 8 behind them.

import { adler32 } from './adler32'
import { flushBits, pending, pendingCount, putBits, setWriter, writeTo } from './bit-writer'
import { lengthBits, planLengths, writeLengths } from './deflate-lengths'
import {
  distanceCounts,
  distanceSymbol,
  endOfBlock,
  findSequences,
  lengthSymbol,
  literalCounts,
  sequences,
} from './deflate-matches'
import { codeBits, codeSize, get, makeCodes, makeLengths } from './huffman'

/** The alphabets, with the symbols that only a fixed block has codes for. */
const literalSymbols: u32 = 288
const distanceSymbols: u32 = 30

/** Four literals fit the 56 bits between two flushes. */
const literalLimit: u32 = 14
const distanceLimit: u32 = 15

/** u8 a symbol. */
const literalLengths = memory.data(literalSymbols, 16)
const distanceLengths = memory.data(distanceSymbols, 16)
const fixedLengths = memory.data(literalSymbols, 16)

/** As makeCodes() gives them. */
const literalCodes = memory.data(literalSymbols << 2, 16)
const distanceCodes = memory.data(distanceSymbols << 2, 16)

/** Header, of a window of 32 KiB and the fastest level, and checksum. */
const zlibHeader: u16 = 0x0178
const zlibBytes: u32 = 6

/** Pack `size` bytes at `page` to `output`. Returns the packed length, `size` when that is no gain. */
export function packDeflate(page: usize, size: i32, output: usize): i32 {
  findSequences(page, size)
  makeLengths(literalCounts, literalSymbols, literalLimit, literalLengths)
  makeLengths(distanceCounts, distanceSymbols, distanceLimit, distanceLengths)
  makeFixedLengths()
  planLengths(literalLengths, distanceLengths)
  const dynamicBits =
    lengthBits() +
    sumBits(literalCounts, literalLengths, literalSymbols) +
    sumBits(distanceCounts, distanceLengths, distanceSymbols)
  const fixedBits =
    sumBits(literalCounts, fixedLengths, literalSymbols) + 5 * sum(distanceCounts, distanceSymbols)
  const bits = 3 + min(dynamicBits, fixedBits) + extraBits()
  const packed = zlibBytes + ((bits + 7) >> 3)
  if (packed >= u32(size)) return size

  store<u16>(output, zlibHeader)
  setWriter(0, 0, output + 2)
  // The last block, its kind.
  if (fixedBits <= dynamicBits) {
    putBits(1 | (1 << 1), 3)
    memory.copy(literalLengths, fixedLengths, literalSymbols)
    memory.fill(distanceLengths, 5, distanceSymbols)
  } else {
    putBits(1 | (2 << 1), 3)
    writeLengths()
  }
  makeCodes(literalLengths, literalSymbols, literalCodes)
  makeCodes(distanceLengths, distanceSymbols, distanceCodes)
  writeSequences(page)
  store<u32>(output + packed - 4, bswap(adler32(page, size)))
  return packed
}

function makeFixedLengths(): void {
  memory.fill(fixedLengths, 8, literalSymbols)
  memory.fill(fixedLengths + 144, 9, 256 - 144)
  memory.fill(fixedLengths + 256, 7, 280 - 256)
}

function sumBits(counts: usize, lengths: usize, size: u32): u32 {
  let bits: u32 = 0
  for (let i: u32 = 0; i < size; i++) bits += get(counts, i) * load<u8>(lengths + i)
  return bits
}

function sum(counts: usize, size: u32): u32 {
  let all: u32 = 0
  for (let i: u32 = 0; i < size; i++) all += get(counts, i)
  return all
}

/** Bits that stand behind the codes of lengths and distances. */
function extraBits(): u32 {
  let bits: u32 = 0
  for (let i: u32 = 265; i < 285; i++) bits += get(literalCounts, i) * lengthExtra(i)
  for (let i: u32 = 4; i < distanceSymbols; i++) bits += get(distanceCounts, i) * distanceExtra(i)
  return bits
}

@inline function lengthExtra(symbol: u32): u32 {
  return symbol < 265 || symbol == 285 ? 0 : (symbol - 261) >> 2
}

@inline function distanceExtra(symbol: u32): u32 {
  return symbol < 4 ? 0 : (symbol >> 1) - 1
}

/** The whole of the block behind its head. */
function writeSequences(page: usize): void {
  let bits = pending
  let count = pendingCount
  let to = writeTo
  let at = page
  for (let next: usize = sequences; ; next += 8) {
    const sequence = load<u64>(next)
    const stop = at + usize(sequence & 0xfffff)
    for (; stop - at >= 4; at += 4) {
      const code1 = literalCode(at)
      const code2 = literalCode(at + 1)
      const code3 = literalCode(at + 2)
      const code4 = literalCode(at + 3)
      const size = codeSize(code1) + codeSize(code2)
      bits |= (u64(joined(code1, code2)) | (u64(joined(code3, code4)) << size)) << count
      count += size + codeSize(code3) + codeSize(code4)
      store<u64>(to, bits)
      to += usize(count >> 3)
      bits >>= count & 56
      count &= 7
    }
    // Up to three more; a branch on how many would be mispredicted more often than not.
    const left = stop - at
    const code1 = left > 0 ? literalCode(at) : 0
    const code2 = left > 1 ? literalCode(at + 1) : 0
    const code3 = left > 2 ? literalCode(at + 2) : 0
    const size = codeSize(code1) + codeSize(code2)
    bits |= (u64(joined(code1, code2)) | (u64(codeBits(code3)) << size)) << count
    count += size + codeSize(code3)
    store<u64>(to, bits)
    to += usize(count >> 3)
    bits >>= count & 56
    count &= 7

    const length = u32(sequence >> 20) & 0xfff
    if (length == 0) break
    at = stop + length
    const lengthPast = length - 3
    const lengthIs = lengthSymbol(lengthPast)
    const lengthCode = get(literalCodes, lengthIs)
    bits |= u64(withExtra(lengthCode, lengthPast, lengthExtra(lengthIs))) << count
    count += codeSize(lengthCode) + lengthExtra(lengthIs)
    const distancePast = u32(sequence >> 32)
    const distanceIs = distanceSymbol(distancePast)
    const distanceCode = get(distanceCodes, distanceIs)
    bits |= u64(withExtra(distanceCode, distancePast, distanceExtra(distanceIs))) << count
    count += codeSize(distanceCode) + distanceExtra(distanceIs)
    store<u64>(to, bits)
    to += usize(count >> 3)
    bits >>= count & 56
    count &= 7
  }
  setWriter(bits, count, to)
  const end = get(literalCodes, endOfBlock)
  putBits(codeBits(end), codeSize(end))
  flushBits()
}

@inline function literalCode(at: usize): u32 {
  return get(literalCodes, load<u8>(at))
}

/** Two codes of at most 14 bits. */
@inline function joined(first: u32, second: u32): u32 {
  return codeBits(first) | (codeBits(second) << codeSize(first))
}

/** A code of at most 15 bits and behind it the low `extra` bits of what it stands for, at most 13. */
@inline function withExtra(code: u32, past: u32, extra: u32): u32 {
  return codeBits(code) | ((past & ((1 << extra) - 1)) << codeSize(code))
}
