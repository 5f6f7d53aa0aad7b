// The head of a dynamic deflate block (RFC 1951, 3.2.7): the lengths of both codes, as runs in a third.

import { flushBits, putBits } from './bit-writer'
import { codeBits, codeSize, get, makeCodes, makeLengths, set } from './huffman'

/** Symbols of the code for runs: 0 to 15 are lengths, then these. */
const repeat: u32 = 16
const zeros: u32 = 17
const manyZeros: u32 = 18
const runSymbols: u32 = 20

/** In which order the lengths of that code are written. */
const order = memory.data<u8>([16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])

/** Lengths of the literal code, those of the distance code behind them, then four that are no lengths. u8. */
const lengths = memory.data(288 + 32 + 4, 16)

/** Symbol | what its extra bits say << 5, u16 each. */
const runs = memory.data((288 + 32) << 1, 16)

const runCounts = memory.data(runSymbols << 2, 16)
const runLengths = memory.data(runSymbols, 16)
const runCodes = memory.data(runSymbols << 2, 16)

let literalCount: u32 = 0
let distanceCount: u32 = 0
let orderCount: u32 = 0
let runCount: u32 = 0

/** Makes ready what writeLengths() writes. There are 286 and 30 lengths, u8. */
export function planLengths(literalLengths: usize, distanceLengths: usize): void {
  literalCount = countUsed(literalLengths, 286)
  distanceCount = countUsed(distanceLengths, 30)
  memory.copy(lengths, literalLengths, literalCount)
  memory.copy(lengths + literalCount, distanceLengths, distanceCount)
  findRuns(literalCount + distanceCount)
  makeLengths(runCounts, runSymbols, 7, runLengths)
  orderCount = 19
  while (load<u8>(runLengths + load<u8>(order + orderCount - 1)) == 0) orderCount--
}

/** Without the zeros at the end. */
function countUsed(lengths: usize, size: u32): u32 {
  while (load<u8>(lengths + size - 1) == 0) size--
  return size
}

function findRuns(size: u32): void {
  memory.fill(runCounts, 0, runSymbols << 2)
  store<u32>(lengths + size, 0xffffffff)
  runCount = 0
  for (let i: u32 = 0; i < size; ) {
    const length = load<u8>(lengths + i)
    const next = load<u32>(lengths + i)
    if (next != u32(length) * 0x01010101 && (next & 0xffffff) != 0) {
      putRun(length, 0)
      i++
      continue
    }
    let end = i + 3
    while (load<u8>(lengths + end) == length) end++
    let left = end - i
    i = end
    if (length != 0) {
      putRun(length, 0)
      left--
    }
    const most: u32 = length == 0 ? 138 : 6
    while (left >= 3) {
      const part = min(left, most)
      if (length != 0) putRun(repeat, part - 3)
      else if (part < 11) putRun(zeros, part - 3)
      else putRun(manyZeros, part - 11)
      left -= part
    }
    for (; left > 0; left--) putRun(length, 0)
  }
}

@inline function putRun(symbol: u32, extra: u32): void {
  store<u16>(runs + (runCount++ << 1), u16(symbol | (extra << 5)))
  set(runCounts, symbol, get(runCounts, symbol) + 1)
}

@inline function runExtra(symbol: u32): u32 {
  return symbol < repeat ? 0 : symbol == repeat ? 2 : symbol == zeros ? 3 : 7
}

/** How many bits writeLengths() writes. */
export function lengthBits(): u32 {
  let bits: u32 = 14 + 3 * orderCount
  for (let i: u32 = 0; i < runSymbols; i++) bits += get(runCounts, i) * (load<u8>(runLengths + i) + runExtra(i))
  return bits
}

export function writeLengths(): void {
  makeCodes(runLengths, runSymbols, runCodes)
  putBits((literalCount - 257) | ((distanceCount - 1) << 5) | ((orderCount - 4) << 10), 14)
  for (let i: u32 = 0; i < orderCount; i++) {
    putBits(load<u8>(runLengths + load<u8>(order + i)), 3)
    flushBits()
  }
  for (let i: u32 = 0; i < runCount; i++) {
    const run: u32 = load<u16>(runs + (i << 1))
    const symbol = run & 31
    const code = get(runCodes, symbol)
    putBits(codeBits(code) | ((run >> 5) << codeSize(code)), codeSize(code) + runExtra(symbol))
    flushBits()
  }
}
