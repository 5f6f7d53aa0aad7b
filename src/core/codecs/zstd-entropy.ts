// The two entropy codes of Zstandard: finite state entropy (FSE) and Huffman. Bit streams are read from
// their end backwards. Source: RFC 8878, sections 4.1 and 4.2.

import { CodecError } from './codec.ts'

const damaged = (what: string): CodecError => new CodecError(`zstd: ${what}`)

const highBit = (value: number): number => 31 - Math.clz32(value)

/** Reads a bit stream backwards; its last byte's highest set bit only marks where it ends. */
export class BackwardBits {
  readonly #bytes: Uint8Array
  readonly #start: number
  /** Bits not read yet; negative once more were asked for than there are, and those were zero. */
  left: number

  /** The stream is bytes [start, end). */
  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = end > start && end <= bytes.length ? (bytes[end - 1] as number) : 0
    if (last === 0) throw damaged('a bit stream without end mark')
    this.#bytes = bytes
    this.#start = start
    this.left = (end - start - 1) * 8 + highBit(last)
  }

  /** The next `count` bits, 24 at most. */
  read(count: number): number {
    this.left -= count
    return this.#at(this.left, count)
  }

  /** As read, but they stay to be read. */
  peek(count: number): number {
    return this.#at(this.left - count, count)
  }

  #at(bit: number, count: number): number {
    if (bit < 0) {
      const there = bit + count
      return there <= 0 ? 0 : this.#at(0, there) << -bit
    }
    const at = this.#start + (bit >>> 3)
    const bytes = this.#bytes
    // Bytes after the stream's end may be read here, but their bits are masked away.
    const word =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24)
    return (word >>> (bit & 7)) & ((1 << count) - 1)
  }
}

/** A decoding table: in state s the symbol is symbols[s], and the next state base[s] + read(bits[s]). */
export interface FseTable {
  readonly log: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
  readonly base: Uint16Array
}

/** The table that gives one symbol for ever and reads no bits. */
export const singleSymbolTable = (symbol: number): FseTable => ({
  log: 0,
  symbols: Uint8Array.of(symbol),
  bits: new Uint8Array(1),
  base: new Uint16Array(1),
})

/** @param counts how many of the 2^log states each symbol has; -1: one state that reads `log` bits. */
export function makeFseTable(log: number, counts: readonly number[]): FseTable {
  const size = 1 << log
  const symbols = new Uint8Array(size)
  const next = new Uint16Array(counts.length)
  let high = size
  counts.forEach((count, symbol) => {
    if (count < 0) symbols[--high] = symbol
    next[symbol] = Math.abs(count)
  })
  const step = (size >> 1) + (size >> 3) + 3
  let state = 0
  counts.forEach((count, symbol) => {
    for (let i = 0; i < count; i++) {
      symbols[state] = symbol
      do state = (state + step) & (size - 1)
      while (state >= high)
    }
  })
  const bits = new Uint8Array(size)
  const base = new Uint16Array(size)
  for (let s = 0; s < size; s++) {
    const symbol = symbols[s] as number
    const number = next[symbol] as number
    next[symbol] = number + 1
    bits[s] = log - highBit(number)
    base[s] = (number << (bits[s] as number)) - size
  }
  return { log, symbols, bits, base }
}

/** A table written at `at` of `bytes`, and the position after it. */
export function readFseTable(
  bytes: Uint8Array,
  at: number,
  limits: { readonly log: number; readonly symbols: number },
): { readonly table: FseTable; readonly end: number } {
  let bit = at * 8
  const peek = (count: number): number => {
    const byte = bit >>> 3
    const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16)
    return (word >>> (bit & 7)) & ((1 << count) - 1)
  }
  const log = peek(4) + 5
  bit += 4
  if (log > limits.log) throw damaged(`an FSE table of 2^${log} states`)
  const counts: number[] = []
  let left = 1 << log
  while (left > 0 && counts.length < limits.symbols) {
    // A number from 0 to left+1; the small ones among them take one bit less.
    const width = highBit(left + 1) + 1
    const short = (1 << width) - 2 - left
    let value = peek(width - 1)
    bit += width - 1
    if (value >= short) {
      bit -= width - 1
      value = peek(width)
      bit += width
      if (value >= 1 << (width - 1)) value -= short
    }
    counts.push(value - 1)
    left -= Math.abs(value - 1)
    for (let more = value === 1 ? 3 : 0; more === 3; ) {
      more = peek(2)
      bit += 2
      for (let i = 0; i < more; i++) counts.push(0)
      if (counts.length > limits.symbols) break
    }
  }
  const end = (bit + 7) >>> 3
  if (left !== 0 || counts.length > limits.symbols || end > bytes.length) {
    throw damaged('an FSE table that does not add up')
  }
  return { table: makeFseTable(log, counts), end }
}

/** Symbol and length of the code that the next `maxBits` bits begin with. */
export interface HuffmanTable {
  readonly maxBits: number
  readonly symbols: Uint8Array
  readonly bits: Uint8Array
}

const maxHuffmanBits = 11

/** A Huffman tree written at `at` of `bytes`, as weights, and the position after it. */
export function readHuffmanTable(
  bytes: Uint8Array,
  at: number,
): { readonly table: HuffmanTable; readonly end: number } {
  const header = bytes[at] ?? 0
  const start = at + 1
  if (header >= 128) {
    const count = header - 127
    const end = start + ((count + 1) >> 1)
    if (end > bytes.length) throw damaged('Huffman weights cut off')
    const nibble = (i: number) => ((bytes[start + (i >> 1)] as number) >> (i % 2 === 0 ? 4 : 0)) & 15
    return { table: makeHuffmanTable(Array.from({ length: count }, (_, i) => nibble(i))), end }
  }
  const end = start + header
  if (end > bytes.length) throw damaged('Huffman weights cut off')
  return { table: makeHuffmanTable(readWeights(bytes, start, end)), end }
}

/** Two FSE states take turns until the stream is used up. */
function readWeights(bytes: Uint8Array, start: number, end: number): number[] {
  const { table, end: streamStart } = readFseTable(bytes, start, { log: 6, symbols: maxHuffmanBits + 1 })
  if (streamStart > end) throw damaged('Huffman weights cut off')
  const stream = new BackwardBits(bytes, streamStart, end)
  const weights: number[] = []
  let state = stream.read(table.log)
  let other = stream.read(table.log)
  if (stream.left < 0) throw damaged('Huffman weights cut off')
  while (weights.length < 255) {
    weights.push(table.symbols[state] as number)
    const next = (table.base[state] as number) + stream.read(table.bits[state] as number)
    if (stream.left < 0) {
      weights.push(table.symbols[other] as number)
      return weights
    }
    state = other
    other = next
  }
  throw damaged('more than 255 Huffman weights')
}

/** The last symbol's weight is not written: it is what is missing to a power of two. */
function makeHuffmanTable(weights: readonly number[]): HuffmanTable {
  const sum = weights.reduce((total, weight) => total + (weight > 0 ? 1 << (weight - 1) : 0), 0)
  const maxBits = sum === 0 ? 0 : highBit(sum) + 1
  const missing = (1 << maxBits) - sum
  if (maxBits === 0 || maxBits > maxHuffmanBits || (missing & (missing - 1)) !== 0 || weights.length > 255) {
    throw damaged('Huffman weights that do not add up')
  }
  const all = [...weights, highBit(missing) + 1]
  const symbols = new Uint8Array(1 << maxBits)
  const bits = new Uint8Array(1 << maxBits)
  let at = 0
  for (let weight = 1; weight <= maxBits; weight++) {
    const share = 1 << (weight - 1)
    all.forEach((own, symbol) => {
      if (own !== weight) return
      symbols.fill(symbol, at, at + share)
      bits.fill(maxBits + 1 - weight, at, at + share)
      at += share
    })
  }
  return { maxBits, symbols, bits }
}

/** Fill `output` from a stream of Huffman codes that holds exactly that. */
export function readHuffmanStream(
  table: HuffmanTable,
  bytes: Uint8Array,
  range: { readonly start: number; readonly end: number },
  output: Uint8Array,
): void {
  const stream = new BackwardBits(bytes, range.start, range.end)
  for (let i = 0; i < output.length; i++) {
    const code = stream.peek(table.maxBits)
    output[i] = table.symbols[code] as number
    stream.left -= table.bits[code] as number
  }
  if (stream.left !== 0) throw damaged('a Huffman stream of another length')
}
