// Kernel virtual memory: a translation over physical memory. Reads cross pages; a page that is not
// mapped or not in the dump throws, it is never quietly zero.

import type { PhysAddr, VirtAddr } from '../address.ts'
import { FaultError } from '../errors.ts'
import type { PhysicalMemory } from './physical.ts'

/** Virtual to physical, one page at a time. Made by an Arch. */
export interface Translation {
  /** Physical address of the byte, undefined when nothing maps it. @throws {FaultError} a table is missing. */
  translate(address: VirtAddr): PhysAddr | undefined
}

export class VirtualMemory implements Translation {
  readonly physical: PhysicalMemory
  readonly pageSize: number
  readonly littleEndian: boolean
  readonly #translation: Translation
  readonly #scratch = new Uint8Array(8)
  readonly #view = new DataView(this.#scratch.buffer)

  constructor(
    physical: PhysicalMemory,
    translation: Translation,
    options: { pageSize: number; littleEndian: boolean },
  ) {
    this.physical = physical
    this.pageSize = options.pageSize
    this.littleEndian = options.littleEndian
    this.#translation = translation
  }

  translate(address: VirtAddr): PhysAddr | undefined {
    return this.#translation.translate(BigInt.asUintN(64, address))
  }

  /** Fill `into` from `address`. @throws {FaultError} at the first byte not to be had. */
  read(address: VirtAddr, into: Uint8Array): void {
    let done = 0
    while (done < into.length) {
      const at = BigInt.asUintN(64, address + BigInt(done))
      const inPage = Number(at & BigInt(this.pageSize - 1))
      const length = Math.min(this.pageSize - inPage, into.length - done)
      const physical = this.translate(at)
      if (physical === undefined) throw new FaultError('virtual', at, length, 'unmapped')
      this.physical.read(physical, into.subarray(done, done + length))
      done += length
    }
  }

  bytes(address: VirtAddr, length: number): Uint8Array {
    const into = new Uint8Array(length)
    this.read(address, into)
    return into
  }

  u8(address: VirtAddr): number {
    return this.#load(address, 1).getUint8(0)
  }

  u16(address: VirtAddr): number {
    return this.#load(address, 2).getUint16(0, this.littleEndian)
  }

  u32(address: VirtAddr): number {
    return this.#load(address, 4).getUint32(0, this.littleEndian)
  }

  i32(address: VirtAddr): number {
    return this.#load(address, 4).getInt32(0, this.littleEndian)
  }

  /** Also for pointers and unsigned long of 64-bit targets. */
  u64(address: VirtAddr): bigint {
    return this.#load(address, 8).getBigUint64(0, this.littleEndian)
  }

  /** A C string of at most `limit` bytes, Latin-1 so that nothing is lost; ends early where memory ends. */
  string(address: VirtAddr, limit: number): string {
    let text = ''
    for (let i = 0; i < limit; ) {
      const at = address + BigInt(i)
      const length = Math.min(limit - i, 64 - Number(at & 63n))
      const part = this.bytes(at, length)
      const end = part.indexOf(0)
      text += Buffer.from(end < 0 ? part : part.subarray(0, end)).toString('latin1')
      if (end >= 0) break
      i += length
    }
    return text
  }

  #load(address: VirtAddr, length: number): DataView {
    this.read(address, this.#scratch.subarray(0, length))
    return this.#view
  }
}
