// Adds records to the lockless log as the kernel does: a descriptor, its printk_info and a block of
// text behind the newest, pushing the oldest out when there is no room. Gives the bytes to be written
// and writes nothing itself. Source: Linux kernel/printk/printk_ringbuffer.c (prb_reserve, prb_commit).

import { alignUp, type PhysAddr, type VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { VirtualMemory } from '../memory/virtual.ts'
import type { LogSource } from './printk.ts'
import { idMask, type Offsets, ringBits, ringOffsets, states } from './printk-ring.ts'
import { required } from './vmcoreinfo.ts'

export interface NewRecord {
  /** Nanoseconds since boot; left out: one millisecond after the record before. */
  readonly timeNs?: bigint
  readonly text: Uint8Array
  /** What stands behind the text in its block; printkLeftover() for what printk() leaves. */
  readonly leftover?: Uint8Array
  /** 0 emergency … 7 debug. */
  readonly level: number
  /** 0 the kernel, when left out. */
  readonly facility?: number
  /** Five bits, LOG_NEWLINE when left out. */
  readonly flags?: number
  /** The thread's id, or 0x80000000 + CPU. */
  readonly caller: number
}

export interface MemoryWrite {
  readonly address: PhysAddr
  readonly bytes: Uint8Array
}

const newline = 2
const wordBytes = 8
const millisecond = 1_000_000n

/**
 * What has to be written so that the log ends with `records`.
 * @throws {KernelError} there is no such log, or it is damaged. @throws {FaultError} parts are missing.
 */
export function appendToLog(source: LogSource, records: readonly NewRecord[]): readonly MemoryWrite[] {
  const ring = new RingWriter(source)
  for (const record of records) ring.append(record)
  return ring.finish()
}

/**
 * printk() formats level prefix, text, newline and NUL into the block, then strips the newline and moves
 * the text to the front: what was not overwritten stays. Source: Linux kernel/printk/printk.c
 * (printk_sprint).
 */
export function printkLeftover(text: Uint8Array, hasPrefix: boolean, hasNewline: boolean): Uint8Array {
  const prefix = Buffer.from(hasPrefix ? '\x010' : '')
  const formatted = Buffer.concat([prefix, text, Buffer.from(hasNewline ? '\n\0' : '\0')])
  return formatted.subarray(text.length)
}

const damaged = (what: string): KernelError => new KernelError(`the kernel log ${what}`)

/** Reads the ring as it was before; so what is added must not push out what was added just now. */
class RingWriter {
  readonly #memory: VirtualMemory
  readonly #offsets: Offsets
  /** Addresses of the four words that move. */
  readonly #at: { headId: VirtAddr; tailId: VirtAddr; headPosition: VirtAddr; tailPosition: VirtAddr }
  readonly #count: bigint
  readonly #sizeBits: bigint
  readonly #descs: VirtAddr
  readonly #infos: VirtAddr
  readonly #text: VirtAddr
  readonly #writes: MemoryWrite[] = []
  #headId: bigint
  #tailId: bigint
  /** Positions count bytes of text from boot on, through all laps of the ring. */
  #headPosition: bigint
  #tailPosition: bigint
  #timeNs: bigint
  #roomLeft: bigint

  constructor({ memory, vmcoreinfo }: LogSource) {
    const offsets = ringOffsets(vmcoreinfo)
    const prb = memory.u64(required(vmcoreinfo.symbol('prb'), 'SYMBOL(prb)'))
    const at = (offset: number): VirtAddr => prb + BigInt(offset)
    const position = (member: string): VirtAddr => {
      const key = `prb_data_ring.${member}`
      return at(offsets.textRing + offsets.counter + required(vmcoreinfo.offset(key), `OFFSET(${key})`))
    }
    this.#memory = memory
    this.#offsets = offsets
    this.#at = {
      headId: at(offsets.headId),
      tailId: at(offsets.tailId),
      headPosition: position('head_lpos'),
      tailPosition: position('tail_lpos'),
    }
    const { countBits, sizeBits } = ringBits(memory, prb, offsets)
    this.#count = 1n << BigInt(countBits)
    this.#sizeBits = BigInt(sizeBits)
    this.#descs = memory.u64(at(offsets.descs))
    this.#infos = memory.u64(at(offsets.infos))
    this.#text = memory.u64(at(offsets.data))
    this.#headId = memory.u64(this.#at.headId) & idMask
    this.#tailId = memory.u64(this.#at.tailId) & idMask
    this.#headPosition = memory.u64(this.#at.headPosition)
    this.#tailPosition = memory.u64(this.#at.tailPosition)
    this.#timeNs = this.#word(this.#infoAt(this.#headId) + BigInt(offsets.time))
    this.#roomLeft = 1n << (this.#sizeBits - 1n)
    this.#finalizeNewest()
  }

  append(record: NewRecord): void {
    const block = Buffer.concat([record.text, record.leftover ?? new Uint8Array()])
    const size = BigInt(alignUp(wordBytes + block.length, wordBytes))
    this.#roomLeft -= size
    if (this.#roomLeft < 0n) throw damaged('has no room for so many new records')
    const id = (this.#headId + 1n) & idMask
    this.#releaseSlot(id)
    const begin = this.#headPosition
    const next = this.#endOfBlock(begin, size)
    this.#releaseText(position64(next - (1n << this.#sizeBits)))
    this.#writeInfo(id, record)
    this.#writeDesc(id, begin, next)
    this.#writeText(id, begin, next, block)
    this.#headId = id
    this.#headPosition = next
  }

  finish(): readonly MemoryWrite[] {
    this.#put(this.#at.headId, this.#wordBytes(this.#headId))
    this.#put(this.#at.tailId, this.#wordBytes(this.#tailId))
    this.#put(this.#at.headPosition, this.#wordBytes(this.#headPosition))
    this.#put(this.#at.tailPosition, this.#wordBytes(this.#tailPosition))
    return this.#writes
  }

  /** A block that would reach or cross the ring's end lies at its start, in the next lap. */
  #endOfBlock(begin: bigint, size: bigint): bigint {
    const next = position64(begin + size)
    const lap = next >> this.#sizeBits
    return begin >> this.#sizeBits === lap ? next : (lap << this.#sizeBits) + size
  }

  /** The record that was in the new one's slot is the oldest; its text goes with it. */
  #releaseSlot(id: bigint): void {
    const previous = (id - this.#count) & idMask
    if (this.#tailId !== previous) return
    const { begin, next } = this.#readDesc(previous)
    if ((begin & 1n) === 0n) this.#releaseText(next)
    this.#tailId = (this.#tailId + 1n) & idMask
  }

  /** Give up the oldest blocks until text starts at `position` or later. */
  #releaseText(position: bigint): void {
    for (let n = 0n; isBefore(this.#tailPosition, position); n++) {
      const owner = this.#word(this.#textAt(this.#tailPosition)) & idMask
      const { state, begin, next } = this.#readDesc(owner)
      const isOwner = (state & idMask) === owner && begin === this.#tailPosition
      if (!isOwner || !isBefore(begin, next) || n > this.#count) {
        throw damaged('is damaged: its oldest text belongs to no record')
      }
      this.#setState(owner, states.reusable)
      this.#tailPosition = next
    }
  }

  /** The newest record could still have been continued. */
  #finalizeNewest(): void {
    const { state } = this.#readDesc(this.#headId)
    if (state === stateWord(this.#headId, states.committed)) this.#setState(this.#headId, states.finalized)
  }

  #writeInfo(id: bigint, record: NewRecord): void {
    const { seq, time, textLength, levelByte, callerId, infoSize } = this.#offsets
    const oldSeq = this.#word(this.#infoAt(id) + BigInt(seq))
    const index = this.#slot(id)
    const view = new DataView(new ArrayBuffer(infoSize))
    const { littleEndian } = this.#memory
    this.#timeNs = record.timeNs ?? this.#timeNs + millisecond
    // In the first lap the slots still hold zeros, and the sequence number is the index.
    view.setBigUint64(
      seq,
      oldSeq === 0n && index !== 0n ? index : position64(oldSeq + this.#count),
      littleEndian,
    )
    view.setBigUint64(time, this.#timeNs, littleEndian)
    view.setUint16(textLength, record.text.length, littleEndian)
    if (levelByte !== undefined) {
      view.setUint8(levelByte - 1, record.facility ?? 0)
      view.setUint8(levelByte, (record.level << 5) | (record.flags ?? newline))
    }
    if (callerId !== undefined) view.setUint32(callerId, record.caller, littleEndian)
    this.#put(this.#infoAt(id), new Uint8Array(view.buffer))
  }

  #writeDesc(id: bigint, begin: bigint, next: bigint): void {
    const { state, begin: beginAt, next: nextAt, descSize } = this.#offsets
    const view = new DataView(new ArrayBuffer(descSize))
    const { littleEndian } = this.#memory
    view.setBigUint64(state, stateWord(id, states.finalized), littleEndian)
    view.setBigUint64(beginAt, begin, littleEndian)
    view.setBigUint64(nextAt, next, littleEndian)
    this.#put(this.#descAt(id), new Uint8Array(view.buffer))
  }

  #writeText(id: bigint, begin: bigint, next: bigint, bytes: Uint8Array): void {
    this.#put(this.#textAt(begin), this.#wordBytes(id))
    const isWrapped = begin >> this.#sizeBits !== next >> this.#sizeBits
    const block = isWrapped ? this.#text : this.#textAt(begin)
    if (isWrapped) this.#put(block, this.#wordBytes(id))
    const padded = new Uint8Array(alignUp(bytes.length, wordBytes))
    padded.set(bytes)
    this.#put(block + BigInt(wordBytes), padded)
  }

  #setState(id: bigint, state: number): void {
    this.#put(this.#descAt(id) + BigInt(this.#offsets.state), this.#wordBytes(stateWord(id, state)))
  }

  #readDesc(id: bigint): { state: bigint; begin: bigint; next: bigint } {
    const at = this.#descAt(id)
    const { state, begin, next } = this.#offsets
    return {
      state: this.#word(at + BigInt(state)),
      begin: this.#word(at + BigInt(begin)),
      next: this.#word(at + BigInt(next)),
    }
  }

  #slot = (id: bigint): bigint => id & (this.#count - 1n)
  #descAt = (id: bigint): VirtAddr => this.#descs + this.#slot(id) * BigInt(this.#offsets.descSize)
  #infoAt = (id: bigint): VirtAddr => this.#infos + this.#slot(id) * BigInt(this.#offsets.infoSize)
  #textAt = (position: bigint): VirtAddr => this.#text + (position & ((1n << this.#sizeBits) - 1n))
  #word = (address: VirtAddr): bigint => this.#memory.u64(address)

  #wordBytes(value: bigint): Uint8Array {
    const view = new DataView(new ArrayBuffer(wordBytes))
    view.setBigUint64(0, BigInt.asUintN(64, value), this.#memory.littleEndian)
    return new Uint8Array(view.buffer)
  }

  #put(address: VirtAddr, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    const first = this.#memory.translate(address)
    const last = this.#memory.translate(address + BigInt(bytes.length - 1))
    if (first === undefined || last === undefined || last - first !== bytes.length - 1) {
      throw damaged('is not in one piece of memory')
    }
    this.#writes.push({ address: first, bytes })
  }
}

/** Positions start a lap below 2^64 and go through 0: only their differences can be compared. */
const position64 = (value: bigint): bigint => BigInt.asUintN(64, value)
const isBefore = (a: bigint, b: bigint): boolean => BigInt.asIntN(64, a - b) < 0n

const stateWord = (id: bigint, state: number): bigint => (BigInt(state) << 62n) | id
