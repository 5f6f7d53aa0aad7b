// Physical memory made of pages that a test wrote: sparse, so that addresses may be as high as a real
// machine's. What lies in the ranges and was not written is zero.

import { Bitmap } from '../../src/core/bitmap.ts'
import { FaultError, type FaultReason } from '../../src/core/errors.ts'
import type { PhysicalMemory } from '../../src/core/memory/physical.ts'
import { findRange, makeRanges, type Range, type Ranges } from '../../src/core/ranges.ts'

const blockBytes = 4096

export class GuestMemory implements PhysicalMemory {
  readonly ranges: Ranges
  /** How often it was read, for tests of what is cached. */
  reads = 0
  readonly #blocks = new Map<number, Uint8Array>()
  readonly #missing = new Map<number, FaultReason>()

  constructor(ranges: Iterable<Range>) {
    this.ranges = makeRanges(ranges)
  }

  read(address: number, into: Uint8Array): void {
    this.reads++
    for (let done = 0; done < into.length; ) {
      const at = address + done
      const inBlock = at % blockBytes
      const length = Math.min(blockBytes - inBlock, into.length - done)
      this.#readBlock(at, inBlock, into.subarray(done, done + length))
      done += length
    }
  }

  #readBlock(at: number, inBlock: number, into: Uint8Array): void {
    const range = findRange(this.ranges, at)
    if (range === undefined) throw new FaultError('physical', at, into.length, 'hole')
    const missing = this.#missing.get(at - inBlock)
    if (missing !== undefined) throw new FaultError('physical', at, into.length, missing)
    if (at + into.length > range.end) throw new FaultError('physical', range.end, into.length, 'hole')
    const block = this.#blocks.get(at - inBlock)
    if (block === undefined) into.fill(0)
    else into.set(block.subarray(inBlock, inBlock + into.length))
  }

  write(address: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = address + done
      const inBlock = at % blockBytes
      const length = Math.min(blockBytes - inBlock, bytes.length - done)
      const block = this.#blocks.get(at - inBlock) ?? new Uint8Array(blockBytes)
      this.#blocks.set(at - inBlock, block)
      block.set(bytes.subarray(done, done + length), inBlock)
      done += length
    }
  }

  writeU64(address: number, value: bigint, littleEndian = true): void {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, BigInt.asUintN(64, value), littleEndian)
    this.write(address, new Uint8Array(view.buffer))
  }

  writeU32(address: number, value: number, littleEndian = true): void {
    const view = new DataView(new ArrayBuffer(4))
    view.setUint32(0, value, littleEndian)
    this.write(address, new Uint8Array(view.buffer))
  }

  /** Make the 4 KiB blocks of [start, end) unreadable. */
  remove(start: number, end: number, reason: FaultReason = 'excluded'): void {
    for (let at = start - (start % blockBytes); at < end; at += blockBytes) this.#missing.set(at, reason)
  }

  storedPages(pageSize: number): Bitmap {
    const stored = new Bitmap(Math.ceil((this.ranges.at(-1)?.end ?? 0) / pageSize))
    for (const { start, end } of this.ranges) {
      stored.setRange(Math.ceil(start / pageSize), Math.ceil(end / pageSize))
    }
    for (const at of this.#missing.keys()) if (at % pageSize === 0) stored.clear(at / pageSize)
    return stored
  }

  [Symbol.dispose](): void {}
}
