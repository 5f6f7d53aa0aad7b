// One Zstandard frame per page: blocks, each of literals and of sequences "copy so many literals, then
// so many bytes from that far back". No dictionaries, checksums not verified. Source: RFC 8878.

import { type Codec, CodecError } from './codec.ts'
import {
  BackwardBits,
  type FseTable,
  type HuffmanTable,
  makeFseTable,
  readFseTable,
  readHuffmanStream,
  readHuffmanTable,
  singleSymbolTable,
} from './zstd-entropy.ts'
import { libraryCompressor } from './zstd-library.ts'

const levels = { least: 1, most: 19, usual: 1 } as const

export const zstd: Codec = {
  name: 'zstd',
  flag: 0x20,
  decompress,
  levels,
  makeCompressor: (level = levels.usual) => libraryCompressor(level, levels),
}

const damaged = (what: string): CodecError => new CodecError(`zstd: ${what}`)

/** One of the three numbers of a sequence: code → value = baseline + so many extra bits. */
interface SequenceField {
  readonly extraBits: readonly number[]
  readonly baselines: readonly number[]
  readonly maxLog: number
  readonly predefined: FseTable
}

function sequenceField(
  extraBits: readonly number[],
  first: number,
  maxLog: number,
  log: number,
  counts: readonly number[],
): SequenceField {
  let next = first
  const baselines = extraBits.map((bits) => {
    next += 2 ** bits
    return next - 2 ** bits
  })
  return { extraBits, baselines, maxLog, predefined: makeFseTable(log, counts) }
}

const repeat = (n: number, value: number): number[] => new Array(n).fill(value)

// Section 3.1.1.3.2.1: how codes become values, and appendix A: the distributions that need not be sent.
const literalLength = sequenceField(
  [...repeat(16, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  0,
  9,
  6,
  [4, 3, ...repeat(11, 2), 1, 1, 1, ...repeat(9, 2), 3, 2, ...repeat(5, 1), ...repeat(4, -1)],
)
const matchLength = sequenceField(
  [...repeat(32, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
  3,
  9,
  6,
  [1, 4, 3, ...repeat(6, 2), ...repeat(37, 1), ...repeat(7, -1)],
)
/** Codes above 24 would reach back 16 MiB, more than any page has. */
const offset = sequenceField(
  Array.from({ length: 25 }, (_, code) => code),
  1,
  8,
  5,
  [...repeat(6, 1), 2, 2, 2, ...repeat(15, 1), ...repeat(5, -1)],
)
const maxOffsetCodes = 32

/** What a block leaves for the next one. */
interface FrameState {
  readonly input: Uint8Array
  readonly output: Uint8Array
  /** Bytes of `output` that are there. */
  done: number
  huffman: HuffmanTable | undefined
  /** In the order of the stream: literal length, offset, match length. */
  readonly tables: [FseTable | undefined, FseTable | undefined, FseTable | undefined]
  /** The three offsets used last. */
  readonly recent: [number, number, number]
}

function decompress(input: Uint8Array, output: Uint8Array): void {
  const frame: FrameState = {
    input,
    output,
    done: 0,
    huffman: undefined,
    tables: [undefined, undefined, undefined],
    recent: [1, 4, 8],
  }
  const header = readFrameHeader(input, output.length)
  let at = header.size
  for (let last = false; !last; ) {
    if (at + 3 > input.length) throw damaged('the frame ends too early')
    const block = littleEndian(input, at, 3)
    last = (block & 1) !== 0
    at = readBlock(frame, at + 3, (block >> 1) & 3, block >> 3)
  }
  if (at + header.checksumSize !== input.length) throw damaged('bytes after the frame')
  if (frame.done !== output.length) throw damaged(`${frame.done} bytes come out, not ${output.length}`)
}

function readFrameHeader(input: Uint8Array, expected: number): { size: number; checksumSize: number } {
  if (input.length < 6 || littleEndian(input, 0, 4) !== 0xfd2fb528) throw damaged('not a frame')
  const flags = input[4] as number
  const single = (flags & 0x20) !== 0
  const dictionarySize = [0, 1, 2, 4][flags & 3] as number
  const contentSizeSize = [single ? 1 : 0, 2, 4, 8][flags >> 6] as number
  const contentAt = 5 + (single ? 0 : 1) + dictionarySize
  const size = contentAt + contentSizeSize
  if ((flags & 8) !== 0 || size > input.length) throw damaged('a frame header of an unknown kind')
  if (littleEndian(input, contentAt - dictionarySize, dictionarySize) !== 0)
    throw damaged('a dictionary is needed')
  const content = littleEndian(input, contentAt, contentSizeSize) + (contentSizeSize === 2 ? 256 : 0)
  if (contentSizeSize > 0 && content !== expected)
    throw damaged(`a frame of ${content} bytes, not ${expected}`)
  return { size, checksumSize: (flags & 4) !== 0 ? 4 : 0 }
}

/** Returns the position after the block, whose header stands before `at`. */
function readBlock(frame: FrameState, at: number, type: number, size: number): number {
  const { input, output, done } = frame
  const end = at + (type === 1 ? 1 : size)
  if (end > input.length || type === 3) throw damaged('a block that ends too late or of an unknown type')
  if (type === 2) {
    readSequences(frame, readLiterals(frame, at, end), end)
    return end
  }
  if (size > output.length - done) throw damaged(`no room for a block of ${size} bytes`)
  if (type === 0) output.set(input.subarray(at, end), done)
  else output.fill(input[at] as number, done, done + size)
  frame.done += size
  return end
}

interface Literals {
  readonly bytes: Uint8Array
  /** Position after the literals section. */
  readonly end: number
}

function readLiterals(frame: FrameState, at: number, end: number): Literals {
  const { input } = frame
  const first = input[at] ?? 0
  const type = first & 3
  const format = (first >> 2) & 3
  if (type >= 2) return readHuffmanLiterals(frame, at, end)
  const headerSize = format === 3 ? 3 : format === 1 ? 2 : 1
  const size = littleEndian(input, at, headerSize) >> (headerSize === 1 ? 3 : 4)
  const start = at + headerSize
  const stop = start + (type === 0 ? size : 1)
  if (stop > end || size > frame.output.length) throw damaged('literals that end too late')
  const bytes = type === 0 ? input.subarray(start, stop) : new Uint8Array(size).fill(input[start] as number)
  return { bytes, end: stop }
}

function readHuffmanLiterals(frame: FrameState, at: number, end: number): Literals {
  const { input } = frame
  const first = input[at] ?? 0
  const format = (first >> 2) & 3
  const sizeBits = [10, 10, 14, 18][format] as number
  const headerSize = [3, 3, 4, 5][format] as number
  const header = littleEndian(input, at, headerSize)
  const size = Math.floor(header / 16) % 2 ** sizeBits
  const start = at + headerSize
  const stop = start + Math.floor(header / 2 ** (4 + sizeBits))
  if (stop > end || size > frame.output.length) throw damaged('literals that end too late')
  let streams = start
  if ((first & 3) === 2) {
    const read = readHuffmanTable(input.subarray(0, stop), start)
    frame.huffman = read.table
    streams = read.end
  }
  if (frame.huffman === undefined) throw damaged('literals without a Huffman tree')
  const bytes = new Uint8Array(size)
  if (format === 0) readHuffmanStream(frame.huffman, input, { start: streams, end: stop }, bytes)
  else readFourStreams(frame.huffman, input, { start: streams, end: stop }, bytes)
  return { bytes, end: stop }
}

/** A table of the sizes of three streams, then four streams, each with a quarter of the literals. */
function readFourStreams(
  table: HuffmanTable,
  input: Uint8Array,
  range: { readonly start: number; readonly end: number },
  bytes: Uint8Array,
): void {
  const quarter = (bytes.length + 3) >> 2
  if (range.start + 6 > range.end || 3 * quarter > bytes.length) throw damaged('four streams cut off')
  let start = range.start + 6
  for (let i = 0; i < 4; i++) {
    const end = i === 3 ? range.end : start + littleEndian(input, range.start + 2 * i, 2)
    if (end > range.end) throw damaged('four streams cut off')
    const part = bytes.subarray(i * quarter, i === 3 ? bytes.length : (i + 1) * quarter)
    readHuffmanStream(table, input, { start, end }, part)
    start = end
  }
}

function readSequences(frame: FrameState, literals: Literals, end: number): void {
  const { input } = frame
  let at = literals.end
  const first = input[at] ?? 0
  const size = first < 128 ? 1 : first < 255 ? 2 : 3
  if (at + size > end) throw damaged('a block without sequences')
  const count =
    size === 1
      ? first
      : size === 2
        ? ((first - 128) << 8) + (input[at + 1] as number)
        : 0x7f00 + littleEndian(input, at + 1, 2)
  at += size
  let used = 0
  if (count > 0) {
    const modes = input[at] ?? 0
    at = readTable(frame, 0, literalLength, modes >> 6, at + 1, 36)
    at = readTable(frame, 1, offset, modes >> 4, at, maxOffsetCodes)
    at = readTable(frame, 2, matchLength, modes >> 2, at, 53)
    used = runSequences(frame, literals.bytes, new BackwardBits(input, at, end), count)
  } else if (at !== end) throw damaged('bytes after the literals')
  copyLiterals(frame, literals.bytes, used, literals.bytes.length - used)
}

/** Set one of the frame's tables as `mode` says; returns the position after what was read. */
function readTable(
  frame: FrameState,
  index: 0 | 1 | 2,
  field: SequenceField,
  mode: number,
  at: number,
  symbols: number,
): number {
  switch (mode & 3) {
    case 0:
      frame.tables[index] = field.predefined
      return at
    case 1:
      frame.tables[index] = singleSymbolTable(frame.input[at] ?? 0)
      return at + 1
    case 2: {
      const { table, end } = readFseTable(frame.input, at, { log: field.maxLog, symbols })
      frame.tables[index] = table
      return end
    }
    default:
      return at
  }
}

/** Returns how many literals were used. */
function runSequences(frame: FrameState, literals: Uint8Array, stream: BackwardBits, count: number): number {
  const [lengths, offsets, matches] = frame.tables
  if (lengths === undefined || offsets === undefined || matches === undefined) {
    throw damaged('a table of an earlier block, and there was none')
  }
  let used = 0
  let length = stream.read(lengths.log)
  let distance = stream.read(offsets.log)
  let match = stream.read(matches.log)
  for (let i = 0; i < count; i++) {
    const offsetValue = readValue(offset, offsets.symbols[distance] as number, stream)
    const matchSize = readValue(matchLength, matches.symbols[match] as number, stream)
    const literalSize = readValue(literalLength, lengths.symbols[length] as number, stream)
    copyLiterals(frame, literals, used, literalSize)
    used += literalSize
    copyMatch(frame, recentOffset(frame.recent, offsetValue, literalSize), matchSize)
    if (i === count - 1) break
    length = (lengths.base[length] as number) + stream.read(lengths.bits[length] as number)
    match = (matches.base[match] as number) + stream.read(matches.bits[match] as number)
    distance = (offsets.base[distance] as number) + stream.read(offsets.bits[distance] as number)
  }
  if (stream.left !== 0) throw damaged('sequences of another length')
  return used
}

function readValue(field: SequenceField, code: number, stream: BackwardBits): number {
  const baseline = field.baselines[code]
  if (baseline === undefined) throw damaged(`an unknown code ${code}`)
  return baseline + stream.read(field.extraBits[code] as number)
}

/** Values 1 to 3 name a recent offset (shifted by one when no literal came before), others are it plus 3. */
function recentOffset(recent: [number, number, number], value: number, literalSize: number): number {
  if (value > 3) {
    recent[2] = recent[1]
    recent[1] = recent[0]
    recent[0] = value - 3
    return recent[0]
  }
  const index = value - 1 + (literalSize === 0 ? 1 : 0)
  if (index === 0) return recent[0]
  const chosen = index === 3 ? recent[0] - 1 : (recent[index] as number)
  if (index !== 1) recent[2] = recent[1]
  recent[1] = recent[0]
  recent[0] = chosen
  return chosen
}

function copyLiterals(frame: FrameState, literals: Uint8Array, from: number, size: number): void {
  const { output, done } = frame
  if (size > literals.length - from || size > output.length - done)
    throw damaged('more literals than there are')
  for (let i = 0; i < size; i++) output[done + i] = literals[from + i] as number
  frame.done += size
}

function copyMatch(frame: FrameState, distance: number, size: number): void {
  const { output, done } = frame
  if (distance < 1 || distance > done || size > output.length - done) {
    throw damaged(`no match of ${size} bytes from ${distance} back at ${done}`)
  }
  for (let i = done; i < done + size; i++) output[i] = output[i - distance] as number
  frame.done += size
}

function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}
