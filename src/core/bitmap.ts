// One bit per page frame, least significant bit first: bit of pfn n is byte n>>3, mask 1<<(n&7), on
// every target, which is also how kdump files store it (diskdump_mod.h). A machine may have more than
// 2^32 pages, so a byte's number is not computed with >>.

/** Copied at once. */
const copyBytes = 2 ** 16

import type { Range } from './ranges.ts'

/** Number of the byte that holds a bit. */
const byteOf = (bit: number): number => (bit - (bit & 7)) / 8

export class Bitmap {
  /** Number of bits that mean something; those after it in the last byte are 0. */
  readonly length: number
  readonly bytes: Uint8Array
  /** The bytes four at a time, for the long runs of a memory map; undefined when they are not aligned. */
  readonly #words: Uint32Array | undefined

  constructor(length: number, bytes: Uint8Array = new Uint8Array(Math.ceil(length / 8))) {
    this.length = length
    this.bytes = bytes
    const aligned = bytes.byteOffset % 4 === 0
    this.#words = aligned ? new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2) : undefined
  }

  has(bit: number): boolean {
    return bit < this.length && ((this.bytes[byteOf(bit)] as number) & (1 << (bit & 7))) !== 0
  }

  set(bit: number): void {
    this.bytes[byteOf(bit)] |= 1 << (bit & 7)
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
      this.bytes.fill(0xff, byteOf(bit), byteOf(bit) + whole)
      bit += whole * 8
    }
    while (bit < stop) this.set(bit++)
  }

  /** Clear [start, end), clipped to the length; returns how many bits were set before. */
  clearRange(start: number, end: number): number {
    const stop = Math.min(end, this.length)
    let cleared = 0
    for (let bit = start; bit < stop; bit++) {
      const mask = 1 << (bit & 7)
      const byte = this.bytes[byteOf(bit)] as number
      if ((byte & mask) !== 0) {
        cleared++
        this.bytes[byteOf(bit)] = byte & ~mask
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
    for (let at = first + 1; at < last; at++) {
      const byte = bytes[at] as number
      if (byte !== 0) total += onesInByte[byte] as number
      // Memory at high addresses stands behind holes of gigabytes.
      else if (at % 4096 === 0) at = Math.min(this.#skip(at, 0), last) - 1
    }
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
    const { bytes } = this
    const words = this.#words
    let at = from
    while ((at & 3) !== 0 && bytes[at] === same) at++
    if ((at & 3) === 0 && words !== undefined) {
      const sameWord = same === 0 ? 0 : 0xffff_ffff
      let word = at / 4
      while (word < words.length && words[word] === sameWord) word++
      at = Math.max(at, word * 4)
    }
    while (at < bytes.length && bytes[at] === same) at++
    return at
  }

  /** Bits set in both; as long as this one. */
  and(other: Bitmap): Bitmap {
    const bytes = this.bytes.map((byte, i) => byte & (other.bytes[i] ?? 0))
    return new Bitmap(this.length, bytes)
  }

  /** A copy of the same length with the bits of [start, end) only. */
  within({ start, end }: Range): Bitmap {
    const copy = this.first(end).resized(this.length)
    copy.bytes.fill(0, 0, byteOf(Math.min(start, this.length)))
    copy.clearRange(start - (start & 7), Math.min(start, this.length))
    return copy
  }

  clone(): Bitmap {
    return this.first(this.length)
  }

  /** A copy of the first `length` bits, or of all when there are fewer. */
  first(length: number): Bitmap {
    return this.resized(Math.min(length, this.length))
  }

  /** A copy of `length` bits; those that are new are clear. Zeros are not written, and so take no memory. */
  resized(length: number): Bitmap {
    const copy = new Bitmap(length)
    const bits = Math.min(length, this.length)
    const end = Math.ceil(bits / 8)
    for (let at = this.#skip(0, 0); at < end; at = this.#skip(at + copyBytes, 0)) {
      copy.bytes.set(this.bytes.subarray(at, Math.min(at + copyBytes, end)), at)
    }
    if ((bits & 7) !== 0) copy.bytes[end - 1] &= (1 << (bits & 7)) - 1
    return copy
  }
}

const onesIn = (bits: number): number => onesInByte[bits & 0xff] as number

const onesInByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0
  for (let rest = byte; rest !== 0; rest >>= 1) ones += rest & 1
  return ones
})
