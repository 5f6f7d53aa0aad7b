// Finite state entropy, the packing side. A table of 2^log states gives each symbol a share of them; packing
// a symbol takes the state to one of the symbol's own, and gives out the bits with which the reader finds
// back. Source: RFC 8878, section 4.1.

/** A state is a number from 2^log to twice that. States are u16, in the order of symbols; then a symbol each: */
const mostStates = 512
const mostSymbols = 64

/** u32 x: in state s the symbol gives out (s + x) >> 16 bits. Then i32: where its states are, less its share. */
const symbolsAt = mostStates << 1

/** Bytes of a packing table. */
export const tableSize = symbolsAt + (mostSymbols << 3)

/** A u8 a state, for makeTable. */
const spread = memory.data(512, 16)

@inline export function highBit(value: u32): u32 {
  return 31 - clz(value)
}

/** 256 times the logarithm of `value` to base 2, by a parabola between powers: one in 25 bits off at most. */
@inline function log256(value: u32): u32 {
  const log = highBit(value)
  const past = ((value << (31 - log)) & 0x7fffffff) >> 23
  return (log << 8) + past + ((past * (256 - past) * 88) >> 16)
}

/** 256 times the bits that symbols `counts` (u32 each) take when they have `shares` (u16 each) of 2^log. */
export function costOf(counts: usize, symbols: u32, shares: usize, log: u32): u32 {
  let cost: u32 = 0
  for (let i: usize = 0; i < symbols; i++) {
    const count = load<u32>(counts + (i << 2))
    if (count > 0) cost += count * ((log << 8) - log256(max<i16>(1, load<i16>(shares + (i << 1)))))
  }
  return cost
}

/** Divide 2^log states among the symbols: 1 at least for each that occurs, not more than half for many. */
export function shareStates(counts: usize, symbols: u32, total: u32, log: u32, shares: usize): void {
  const states = i32(1) << log
  let left = states
  let largest: usize = shares
  const scale = (u64(1) << (32 + log)) / total
  for (let i: usize = 0; i < symbols; i++) {
    const count = load<u32>(counts + (i << 2))
    const at = shares + (i << 1)
    let share: u32 = 0
    if (count > 0) {
      share = u32((u64(count) * scale + 0x80000000) >> 32)
      if (share == 0) share = 1
    }
    store<u16>(at, u16(share))
    left -= i32(share)
    if (share > load<u16>(largest)) largest = at
  }
  // What rounding left over or took too much.
  while (left < 0 && i32(load<u16>(largest)) + left < i32(load<u16>(largest)) >> 1) {
    store<u16>(largest, u16(load<u16>(largest) - 1))
    left++
    for (let i: usize = 0; i < symbols; i++) {
      if (load<u16>(shares + (i << 1)) > load<u16>(largest)) largest = shares + (i << 1)
    }
  }
  store<u16>(largest, u16(i32(load<u16>(largest)) + left))
}

/** Write shares as the reader of a table expects them. Returns where they end. */
export function putShares(shares: usize, log: u32, to: usize): usize {
  let bits: u64 = log - 5
  let used: u32 = 4
  let left = u32(1) << log
  for (let i: usize = 0; left > 0; ) {
    const share = u32(load<u16>(shares + (i++ << 1)))
    // A number from 0 to left + 1; the small ones among them take one bit less.
    const width = highBit(left + 1) + 1
    const short = (u32(1) << width) - 2 - left
    const value = share + 1
    const isShort = value < short
    bits |= u64(value >= u32(1) << (width - 1) ? value + short : value) << used
    used += isShort ? width - 1 : width
    left -= share
    if (share == 0) {
      // How many more are 0, in twos of bits, 3 for "and more".
      let more: u32 = 0
      while (load<u16>(shares + (i << 1)) == 0) {
        i++
        if (++more == 3) {
          bits |= u64(3) << used
          used += 2
          more = 0
          if (used > 32) {
            store<u32>(to, u32(bits))
            to += 4
            bits >>= 32
            used -= 32
          }
        }
      }
      bits |= u64(more) << used
      used += 2
    }
    if (used > 32) {
      store<u32>(to, u32(bits))
      to += 4
      bits >>= 32
      used -= 32
    }
  }
  store<u64>(to, bits)
  return to + ((used + 7) >> 3)
}

/**
 * The packing table for `shares`, of which those from bit 15 on (predefined tables have them) are one state
 * at the end.
 */
export function makeTable(shares: usize, symbols: u32, log: u32, table: usize): void {
  const states = u32(1) << log
  const step = (states >> 1) + (states >> 3) + 3
  let high = states
  for (let i: usize = 0; i < symbols; i++) {
    if (load<i16>(shares + (i << 1)) < 0) store<u8>(spread + --high, u8(i))
  }
  const next = table + symbolsAt
  let state: u32 = 0
  let total: u32 = 0
  for (let i: usize = 0; i < symbols; i++) {
    let share = i32(load<i16>(shares + (i << 1)))
    for (let k = 0; k < share; k++) {
      store<u8>(spread + state, u8(i))
      do state = (state + step) & (states - 1)
      while (state >= high)
    }
    if (share < 0) share = 1
    // For now: where the next state of the symbol goes.
    store<u32>(next + (i << 3), total)
    total += share
  }
  for (let s: u32 = 0; s < states; s++) {
    const at = next + (usize(load<u8>(spread + s)) << 3)
    const slot = load<u32>(at)
    store<u32>(at, slot + 1)
    store<u16>(table + (slot << 1), u16(states + s))
  }
  for (let i: usize = 0; i < symbols; i++) {
    const share = load<i16>(shares + (i << 1)) < 0 ? 1 : u32(load<u16>(shares + (i << 1)))
    if (share == 0) continue
    const at = next + (i << 3)
    // States from share << most on give out `most` bits, those below one less.
    const most = log - (share > 1 ? highBit(share - 1) : 0)
    store<i32>(at, i32(load<u32>(at) - share) - i32(share), 4)
    store<u32>(at, (most << 16) - (share << most))
  }
}

/** The table of one symbol for ever: one state, no bits. As makeTable would for 2^0 states. */
export function makeSingleTable(symbol: u32, table: usize): void {
  store<u16>(table, 1)
  const at = table + symbolsAt + (symbol << 3)
  store<i32>(at, -1)
  store<i32>(at, -1, 4)
}

/** Bits to give out in `state`, from the lowest. */
@inline export function bitsOf(table: usize, symbol: u32, state: u32): u32 {
  return (state + load<u32>(table + symbolsAt + (symbol << 3))) >> 16
}

@inline export function nextState(table: usize, symbol: u32, state: u32, bits: u32): u32 {
  return load<u16>(table + usize((i32(state >> bits) + load<i32>(table + symbolsAt + (symbol << 3), 4)) << 1))
}

/** The state to begin with, which is of the last symbol: its first. The reader leaves it with a bit at least. */
@inline export function firstState(table: usize, symbol: u32): u32 {
  const bits = load<u32>(table + symbolsAt + (symbol << 3))
  const most = (bits + 0xffff) >> 16
  const share = ((most << 16) - bits) >> most
  return nextState(table, symbol, share, 0)
}
