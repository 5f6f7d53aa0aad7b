// The sequences of a Zstandard block, packed by three tables: of literal lengths, offsets and match lengths.
// Source: RFC 8878, sections 3.1.1.3.2 and 4.1, appendix A.

import {
  bitsOf,
  costOf,
  firstState,
  highBit,
  makeSingleTable,
  makeTable,
  nextState,
  putShares,
  shareStates,
  tableSize,
} from './zstd-fse'

/** Offset codes up to that of 2^16 and more, the largest page's. */
const literalCodes: u32 = 36
const offsetCodes: u32 = 29
const matchCodes: u32 = 53

/** How many bits follow a code, u8 each. For offset codes it is the code itself. */
const literalBits = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
])
const matchBits = memory.data<u8>([
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3,
  4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
])

/** Shares of the tables that need not be written; -1 is one state at the end. */
const literalShares = memory.data<i16>([
  4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
])
const offsetShares = memory.data<i16>([
  1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
])
const matchShares = memory.data<i16>([
  1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
  1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
])
const literalLog: u32 = 6
const offsetLog: u32 = 5
const matchLog: u32 = 6

/** Codes of short lengths, u8 each; longer ones have one for every power of two. */
const shortLiterals: u32 = 64
const shortMatches: u32 = 128
const literalCodeOf = memory.data(64, 16)
const matchCodeOf = memory.data(128, 16)

function listCodes(bits: usize, codes: usize, size: u32): void {
  let value: u32 = 0
  for (let code: u32 = 0; value < size; code++) {
    for (const next = value + (1 << load<u8>(bits + code)); value < next; value++) store<u8>(codes + value, u8(code))
  }
}

/** The tables that need not be written, and those of a block. */
const literalBasic = memory.data(tableSize, 16)
const offsetBasic = memory.data(tableSize, 16)
const matchBasic = memory.data(tableSize, 16)
const literalOwn = memory.data(tableSize, 16)
const offsetOwn = memory.data(tableSize, 16)
const matchOwn = memory.data(tableSize, 16)

listCodes(literalBits, literalCodeOf, shortLiterals)
listCodes(matchBits, matchCodeOf, shortMatches)
makeTable(literalShares, literalCodes, literalLog, literalBasic)
makeTable(offsetShares, offsetCodes, offsetLog, offsetBasic)
makeTable(matchShares, matchCodes, matchLog, matchBasic)

/** How often each code occurs, u32 each; and the shares made from that. */
const literalCounts = memory.data(64 << 2, 16)
const offsetCounts = memory.data(64 << 2, 16)
const matchCounts = memory.data(64 << 2, 16)
const ownShares = memory.data(64 << 1, 16)

/** A u32 a sequence: code of the literal length, of the match length << 8, of the offset << 16. */
const codes = memory.data((65536 / 4) << 2, 16)

/** Fewer sequences do not pay for a table. */
const leastForTable: u32 = 16

@inline function countCode(counts: usize, code: u32): void {
  const at = counts + (code << 2)
  store<u32>(at, load<u32>(at) + 1)
}

function countCodes(from: usize, end: usize): void {
  memory.fill(literalCounts, 0, literalCodes << 2)
  memory.fill(offsetCounts, 0, offsetCodes << 2)
  memory.fill(matchCounts, 0, matchCodes << 2)
  for (let to: usize = codes; from < end; from += 8, to += 4) {
    const sequence = load<u64>(from)
    const literals = u32(sequence) & 0xffff
    const match = u32(sequence) >>> 16
    const literal = literals < shortLiterals ? u32(load<u8>(literalCodeOf + literals)) : highBit(literals) + 19
    const length = match < shortMatches ? u32(load<u8>(matchCodeOf + match)) : highBit(match) + 36
    const offset = highBit(u32(sequence >> 32))
    countCode(literalCounts, literal)
    countCode(offsetCounts, offset)
    countCode(matchCounts, length)
    store<u32>(to, literal | (length << 8) | (offset << 16))
  }
}

/** What chooseTable chose, beside the table: 0 basic, 1 one symbol, 2 own; log2 of the states. */
let mode: u32 = 0
let log: u32 = 0
/** Where what it wrote ends. */
let after: usize = 0

/** Returns the cheapest table for the codes counted, and writes it when that is needed. */
function chooseTable(
  counts: usize,
  symbols: u32,
  total: u32,
  basicShares: usize,
  basicLog: u32,
  basic: usize,
  mostLog: u32,
  own: usize,
  to: usize,
): usize {
  after = to
  const basicCost = costOf(counts, symbols, basicShares, basicLog)
  let kinds: u32 = 0
  let last: u32 = 0
  for (let i: u32 = 0; i < symbols; i++) {
    if (load<u32>(counts + (i << 2)) == 0) continue
    kinds++
    last = i
  }
  if (kinds == 1 && basicCost > 8 << 8) {
    mode = 1
    log = 0
    store<u8>(to, u8(last))
    after = to + 1
    makeSingleTable(last, own)
    return own
  }
  if (kinds > 1 && total >= leastForTable) {
    // Four sequences or more a state, and two states or more a symbol.
    const ownLog = min(mostLog, max(max<u32>(5, highBit(total - 1) - 2), highBit(kinds) + 2))
    shareStates(counts, last + 1, total, ownLog, ownShares)
    const cost = costOf(counts, last + 1, ownShares, ownLog)
    if (cost < basicCost) {
      const end = putShares(ownShares, ownLog, to)
      if (cost + (u32(end - to) << 11) < basicCost) {
        mode = 2
        log = ownLog
        after = end
        makeTable(ownShares, last + 1, ownLog, own)
        return own
      }
    }
  }
  mode = 0
  log = basicLog
  return basic
}

/** Write the sequences from `from` to `end`. Returns where they end. */
export function putSequences(from: usize, end: usize, to: usize): usize {
  const total = u32((end - from) >> 3)
  if (total < 128) store<u8>(to++, u8(total))
  else {
    store<u8>(to, u8((total >> 8) + 128))
    store<u8>(to, u8(total), 1)
    to += 2
  }
  if (total == 0) return to
  countCodes(from, end)
  const modesAt = to
  const literalTable = chooseTable(literalCounts, literalCodes, total, literalShares, literalLog, literalBasic, 9, literalOwn, to + 1)
  const literalStates = log
  let modes = mode << 6
  const offsetTable = chooseTable(offsetCounts, offsetCodes, total, offsetShares, offsetLog, offsetBasic, 8, offsetOwn, after)
  const offsetStates = log
  modes |= mode << 4
  const matchTable = chooseTable(matchCounts, matchCodes, total, matchShares, matchLog, matchBasic, 9, matchOwn, after)
  const matchStates = log
  store<u8>(modesAt, u8(modes | (mode << 2)))
  to = after

  let bits: u64 = 0
  let used: u64 = 0
  let at = end - 8
  let codesAt: usize = codes + usize((total - 1) << 2)
  let code = load<u32>(codesAt)
  let literalState = firstState(literalTable, code & 255)
  let matchState = firstState(matchTable, (code >> 8) & 255)
  let offsetState = firstState(offsetTable, code >> 16)
  while (true) {
    const sequence = load<u64>(at)
    // From the last to the first, for the reader goes backwards: 48 bits and 7.
    const literalWidth = u64(load<u8>(literalBits + (code & 255)))
    bits |= (sequence & ((1 << literalWidth) - 1)) << used
    used += literalWidth
    const matchWidth = u64(load<u8>(matchBits + ((code >> 8) & 255)))
    bits |= ((sequence >> 16) & ((1 << matchWidth) - 1)) << used
    used += matchWidth
    const offsetWidth = u64(code >> 16)
    bits |= ((sequence >> 32) & ((1 << offsetWidth) - 1)) << used
    used += offsetWidth
    store<u64>(to, bits)
    to += usize(used >> 3)
    bits >>= used & 56
    used &= 7
    if (at == from) break
    at -= 8
    codesAt -= 4
    code = load<u32>(codesAt)
    // 26 bits and 7, before the 48 above.
    const offset = code >> 16
    let width = bitsOf(offsetTable, offset, offsetState)
    bits |= u64(offsetState & ((1 << width) - 1)) << used
    used += width
    offsetState = nextState(offsetTable, offset, offsetState, width)
    const match = (code >> 8) & 255
    width = bitsOf(matchTable, match, matchState)
    bits |= u64(matchState & ((1 << width) - 1)) << used
    used += width
    matchState = nextState(matchTable, match, matchState, width)
    const literal = code & 255
    width = bitsOf(literalTable, literal, literalState)
    bits |= u64(literalState & ((1 << width) - 1)) << used
    used += width
    literalState = nextState(literalTable, literal, literalState, width)
    if (used > 15) {
      store<u64>(to, bits)
      to += usize(used >> 3)
      bits >>= used & 56
      used &= 7
    }
  }
  bits |= u64(matchState & ((1 << matchStates) - 1)) << used
  used += matchStates
  bits |= u64(offsetState & ((1 << offsetStates) - 1)) << used
  used += offsetStates
  bits |= u64(literalState & ((1 << literalStates) - 1)) << used
  used += literalStates
  bits |= u64(1) << used
  store<u64>(to, bits)
  return to + usize(used >> 3) + 1
}
