// One bit per page frame, least significant bit first: bit of pfn n is byte n>>3, mask 1<<(n&7), on
// every target, which is also how kdump files store it (diskdump_mod.h). A machine may have more than
// 2^32 pages, so a byte's number is not computed with >>.

/** Bytes of which is remembered together whether a bit was ever set: 128 MiB of 4 KiB pages. */
const chunkBytes = 4096

import type { Range } from './ranges.ts'

/** Number of the byte that holds a bit. */
const byteOf = (bit: number): number => (bit - (bit & 7)) / 8

/**
 * Memory at high addresses stands behind holes of terabytes. What was never set is neither read nor
 * written, and so takes neither time nor memory.
 */
export class Bitmap {
  /** Number of bits that mean something; those after it in the last byte are 0. */
  readonly length: number
  readonly bytes: Uint8Array
  /** The bytes four at a time, for the long runs of a memory map; undefined when they are not aligned. */
  readonly #words: Uint32Array | undefined
  /** For each chunk, 1 when a bit of it may be set; undefined when any may. */
  readonly #touched: Uint8Array | undefined

  /** @param given the bytes, when there are some already */
  constructor(length: number, given?: Uint8Array) {
    const bytes = given ?? new Uint8Array(Math.ceil(length / 8))
    this.length = length
    this.bytes = bytes
    this.#touched = given === undefined ? new Uint8Array(Math.ceil(bytes.length / chunkBytes)) : undefined
    const aligned = bytes.byteOffset % 4 === 0
    this.#words = aligned ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2) : undefined
  }

  has(bit: number): boolean {
    return bit < this.length && ((this.bytes[byteOf(bit)] as number) & (1 << (bit & 7))) !== 0
  }

  set(bit: number): void {
    const at = byteOf(bit)
    this.bytes[at] |= 1 << (bit & 7)
    if (this.#touched !== undefined) this.#touched[(at - (at % chunkBytes)) / chunkBytes] = 1
  }

  clear(bit: number): void {
    this.bytes[byteOf(bit)] &= ~(1 << (bit & 7))
  }

  /** Set [start, end), clipped to the length. */
  setRange(start: number, end: number): void {
    const stop = Math.min(end, this.length)
    let bit = start
    while (bit < stop && (bit & 7) !== 0) this.set(bit++)
    const whole = Math.floor((stop - bit) / 8)
    if (whole > 0) {
      const first = byteOf(bit)
      this.bytes.fill(0xff, first, first + whole)
      this.#touched?.fill(1, Math.floor(first / chunkBytes), Math.ceil((first + whole) / chunkBytes))
      bit += whole * 8
    }
    while (bit < stop) this.set(bit++)
  }

  /** Clear [start, end), clipped to the length; returns how many bits were set before. */
  clearRange(start: number, end: number): number {
    const stop = Math.min(end, this.length)
    let cleared = 0
    for (let bit = start; bit < stop; bit++) {
      const at = byteOf(bit)
      const byte = this.bytes[at] as number
      const isWhole = (bit & 7) === 0 && bit + 8 <= stop
      const mask = isWhole ? 0xff : 1 << (bit & 7)
      if ((byte & mask) !== 0) {
        cleared += isWhole ? onesIn(byte) : 1
        this.bytes[at] = byte & ~mask
        if (isWhole) bit += 7
      } else if (isWhole) {
        // A block may speak for more pages than the machine has.
        bit = Math.min(this.#skip(at, 0) * 8, stop) - 1
      }
    }
    return cleared
  }

  /** Number of set bits in [start, end). */
  count(start = 0, end = this.length): number {
    const stop = Math.min(end, this.length)
    if (start >= stop) return 0
    const { bytes } = this
    const first = byteOf(start)
    const last = byteOf(stop - 1)
    const head = 0xff << (start & 7)
    const tail = 0xff >> (7 - ((stop - 1) & 7))
    if (first === last) return onesIn((bytes[first] as number) & head & tail)
    let total = onesIn((bytes[first] as number) & head) + onesIn((bytes[last] as number) & tail)
    let at = first + 1
    const words = this.#words
    if (words !== undefined) {
      while (at < last && (at & 3) !== 0) total += onesInByte[bytes[at++] as number] as number
      const end = last >>> 2
      let word = at >>> 2
      while (word < end) {
        total += onesInWord(words[word++] as number)
        // Memory at high addresses stands behind holes of gigabytes.
        if ((word & 1023) === 0 && words[word] === 0) word = this.#skip(word * 4, 0) >>> 2
      }
      at = Math.min(Math.max(at, word * 4), last)
    }
    while (at < last) total += onesInByte[bytes[at++] as number] as number
    return total
  }

  /** First set bit at or after `from`, or -1. */
  next(from: number): number {
    const bit = this.#find(from, 0)
    return bit < this.length ? bit : -1
  }

  /** First clear bit at or after `from`, `length` when all are set. */
  nextClear(from: number): number {
    return Math.min(this.#find(from, 0xff), this.length)
  }

  /** Stretches of set bits in [start, end), in order. */
  *runs(start = 0, end = this.length): Generator<Range> {
    for (let bit = this.next(start); bit >= 0 && bit < end; ) {
      const stop = Math.min(this.nextClear(bit), end)
      yield { start: bit, end: stop }
      bit = stop < end ? this.next(stop) : -1
    }
  }

  /** First bit at or after `from` that is not as those of `same`; at or after `length` when there is none. */
  #find(from: number, same: 0 | 0xff): number {
    if (from >= this.length) return this.length
    let at = byteOf(from)
    let different = ((this.bytes[at] as number) ^ same) & (0xff << (from & 7))
    if (different === 0) {
      at = this.#skip(at + 1, same)
      if (at === this.bytes.length) return this.length
      different = (this.bytes[at] as number) ^ same
    }
    return at * 8 + 31 - Math.clz32(different & -different)
  }

  /** First byte at or after `from` that is not `same`, or the number of bytes. */
  #skip(from: number, same: 0 | 0xff): number {
    const touched = this.#touched
    if (same === 0xff || touched === undefined) return this.#skipUntil(this.bytes.length, from, same)
    for (let at = from; at < this.bytes.length; ) {
      const chunk = touched.indexOf(1, Math.floor(at / chunkBytes))
      if (chunk < 0) break
      const end = Math.min((chunk + 1) * chunkBytes, this.bytes.length)
      at = this.#skipUntil(end, Math.max(at, chunk * chunkBytes), same)
      if (at < end) return at
    }
    return this.bytes.length
  }

  #skipUntil(end: number, from: number, same: 0 | 0xff): number {
    const { bytes } = this
    const words = this.#words
    let at = from
    while (at < end && (at & 3) !== 0 && bytes[at] === same) at++
    if ((at & 3) === 0 && words !== undefined) {
      const sameWord = same === 0 ? 0 : 0xffff_ffff
      const last = Math.floor(end / 4)
      let word = at / 4
      while (word < last && words[word] === sameWord) word++
      at = Math.max(at, word * 4)
    }
    while (at < end && bytes[at] === same) at++
    return at
  }

  /** Bits set in both; as long as this one. */
  and(other: Bitmap): Bitmap {
    const both = this.clone()
    const [ours, theirs] = [both.#words, other.#words]
    for (const { at, bytes } of both.#chunks()) {
      let i = 0
      if (ours !== undefined && theirs !== undefined) {
        const words = Math.min(bytes.length >>> 2, Math.max(0, theirs.length - at / 4))
        for (; i < words; i++)
          ours[at / 4 + i] = (ours[at / 4 + i] as number) & (theirs[at / 4 + i] as number)
      }
      for (i *= 4; i < bytes.length; i++) bytes[i] = (bytes[i] as number) & (other.bytes[at + i] ?? 0)
    }
    return both
  }

  /** A copy of the same length with the bits of [start, end) only. */
  within({ start, end }: Range): Bitmap {
    const copy = this.first(end).resized(this.length)
    copy.clearRange(0, start)
    return copy
  }

  clone(): Bitmap {
    return this.first(this.length)
  }

  /** A copy of the first `length` bits, or of all when there are fewer. */
  first(length: number): Bitmap {
    return this.resized(Math.min(length, this.length))
  }

  /** A copy of `length` bits; those that are new are clear. */
  resized(length: number): Bitmap {
    const copy = new Bitmap(length)
    this.copyInto(copy.bytes, (at) => {
      if (copy.#touched !== undefined) copy.#touched[at / chunkBytes] = 1
    })
    const bits = Math.min(length, this.length)
    if ((bits & 7) !== 0) copy.bytes[byteOf(bits)] &= (1 << (bits & 7)) - 1
    return copy
  }

  /** Put the bytes into `zeros`, as many as fit; zeros are not written. */
  copyInto(zeros: Uint8Array, onChunk: (at: number) => void = () => {}): void {
    for (const { at, bytes } of this.#chunks()) {
      if (at >= zeros.length) return
      zeros.set(bytes.subarray(0, zeros.length - at), at)
      onChunk(at)
    }
  }

  /** Chunks in which a bit is set. */
  *#chunks(): Generator<{ readonly at: number; readonly bytes: Uint8Array }> {
    for (let byte = this.#skip(0, 0); byte < this.bytes.length; ) {
      const at = byte - (byte % chunkBytes)
      yield { at, bytes: this.bytes.subarray(at, at + chunkBytes) }
      byte = this.#skip(at + chunkBytes, 0)
    }
  }
}

const onesIn = (bits: number): number => onesInByte[bits & 0xff] as number

const onesInByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0
  for (let rest = byte; rest !== 0; rest >>= 1) ones += rest & 1
  return ones
})

/** Hacker's Delight, figure 5-2. */
function onesInWord(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
