// One bit per page frame, least significant bit first: bit of pfn n is byte n>>3, mask 1<<(n&7), on
// every target, which is also how kdump files store it (diskdump_mod.h). A machine may have more than
// 2^32 pages, so a byte's number is not computed with >>.

/** Number of the byte that holds a bit. */
const byteOf = (bit: number): number => (bit - (bit & 7)) / 8

export class Bitmap {
  /** Number of bits that mean something; those after it in the last byte are 0. */
  readonly length: number
  readonly bytes: Uint8Array

  constructor(length: number, bytes: Uint8Array = new Uint8Array(Math.ceil(length / 8))) {
    this.length = length
    this.bytes = bytes
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
    let total = 0
    let bit = start
    while (bit < stop && (bit & 7) !== 0) total += this.has(bit++) ? 1 : 0
    for (; bit + 8 <= stop; bit += 8) total += onesInByte[this.bytes[byteOf(bit)] as number] as number
    while (bit < stop) total += this.has(bit++) ? 1 : 0
    return total
  }

  /** First set bit at or after `from`, or -1. */
  next(from: number): number {
    let bit = from
    while (bit < this.length) {
      if ((bit & 7) === 0 && this.bytes[byteOf(bit)] === 0) bit += 8
      else if (this.has(bit)) return bit
      else bit++
    }
    return -1
  }

  /** First clear bit at or after `from`, `length` when all are set. */
  nextClear(from: number): number {
    let bit = from
    while (bit < this.length) {
      if ((bit & 7) === 0 && this.bytes[byteOf(bit)] === 0xff) bit += 8
      else if (this.has(bit)) bit++
      else return bit
    }
    return this.length
  }

  /** Bits set in both; as long as this one. */
  and(other: Bitmap): Bitmap {
    const bytes = this.bytes.map((byte, i) => byte & (other.bytes[i] ?? 0))
    return new Bitmap(this.length, bytes)
  }

  clone(): Bitmap {
    return this.first(this.length)
  }

  /** A copy of the first `length` bits, or of all when there are fewer. */
  first(length: number): Bitmap {
    const bits = Math.min(length, this.length)
    const bytes = this.bytes.slice(0, Math.ceil(bits / 8))
    if ((bits & 7) !== 0) bytes[bytes.length - 1] &= (1 << (bits & 7)) - 1
    return new Bitmap(bits, bytes)
  }
}

const onesInByte = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0
  for (let rest = byte; rest !== 0; rest >>= 1) ones += rest & 1
  return ones
})
