// The lockless log of Linux 5.10 and later: a ring of descriptors with ids, an equally long array of
// printk_info, and a ring of text blocks that begin with their descriptor's id. Offsets come from
// VMCOREINFO, never from constants. Source: Linux kernel/printk/printk_ringbuffer.c.

import type { VirtAddr } from '../address.ts'
import { hex } from '../address.ts'
import { KernelError } from '../errors.ts'
import { Stretch } from '../memory/stretch.ts'
import type { VirtualMemory } from '../memory/virtual.ts'
import {
  callerName,
  decodeText,
  type KernelLog,
  type LogOptions,
  type LogRecord,
  type LogSource,
  levelIn,
  makeLogLimit,
} from './printk.ts'
import { required, type Vmcoreinfo } from './vmcoreinfo.ts'

export const idMask = (1n << 62n) - 1n
/** The top two bits of a descriptor's state word. */
export const states = { reserved: 0, committed: 1, finalized: 2, reusable: 3 } as const
/** `begin` and `next` of blocks without data: an empty line, and text for which there was no room. */
const noText = 3n
const failedText = 1n
/** Text blocks begin with an unsigned long, and so are aligned. */
const wordBytes = 8

/** The kernel makes a record for every 32 bytes of text: these are logs of 128 MiB, a thousand times the usual. */
const maxCountBits = 22
const maxSizeBits = 27
/** prb_desc has 24 bytes, printk_info some hundred. */
const maxElementSize = 256

type Skip = 'reused' | 'unfinished' | 'lost' | 'unreadable'

interface Ring {
  readonly offsets: Offsets
  readonly littleEndian: boolean
  readonly count: number
  readonly sizeBits: number
  readonly descs: Stretch
  readonly infos: Stretch
  readonly text: Stretch
  readonly headId: bigint
  readonly tailId: bigint
  /** Messages for which there was no descriptor. */
  readonly failed: number
}

/** @throws {KernelError} the ring makes no sense. @throws {FaultError} its head is not in the dump. */
export function readRing(source: LogSource, { sinceClear = false }: LogOptions = {}): KernelLog {
  const ring = openRing(source)
  const first = sinceClear ? firstSinceClear(source) : 0n
  const records: LogRecord[] = []
  const skipped: Record<Skip, number> = { reused: 0, unfinished: 0, lost: 0, unreadable: 0 }
  const problems: string[] = []
  // Blocks of a sound ring do not overlap: more text than the ring is long means a forged one.
  const excess = makeLogLimit(2 ** ring.sizeBits)
  let id = ring.tailId
  for (let n = 1; ; n++) {
    const found = readRecord(ring, id)
    if (typeof found === 'string') skipped[found]++
    else if (found.seq <= (records.at(-1)?.seq ?? -1)) skipped.unreadable++
    else {
      const problem = excess(found.text)
      if (problem !== undefined) {
        problems.push(problem)
        break
      }
      records.push(found)
    }
    if (id === ring.headId) break
    if (n === ring.count) {
      problems.push('the newest record (head_id) is not within reach of the oldest (tail_id)')
      break
    }
    id = (id + 1n) & idMask
  }
  for (const [what, stretch] of [
    ['descriptors', ring.descs],
    ['record headers', ring.infos],
    ['text', ring.text],
  ] as const) {
    if (stretch.gap !== undefined) problems.push(`${what} of the log: ${stretch.gap}`)
  }
  return {
    layout: 'ring',
    records: records.filter(({ seq }) => seq >= first),
    overwritten: records[0]?.seq ?? 0,
    lost: skipped.lost + ring.failed,
    unfinished: skipped.unfinished,
    unreadable: skipped.unreadable,
    problems,
  }
}

/** Number of the first record after the log was cleared: since Linux 5.13 one of two, chosen by a counter's low bit. */
function firstSinceClear({ memory, vmcoreinfo }: LogSource): bigint {
  const at = vmcoreinfo.symbol('clear_seq')
  if (at === undefined) return 0n
  const values = vmcoreinfo.offset('latched_seq.val')
  return memory.u64(values === undefined ? at : at + BigInt(values + 8 * (memory.u32(at) & 1)))
}

function readRecord(ring: Ring, id: bigint): LogRecord | Skip {
  const { offsets, littleEndian } = ring
  const index = Number(id & BigInt(ring.count - 1))
  const desc = ring.descs.view(index * offsets.descSize, offsets.descSize)
  if (desc === undefined) return 'unreadable'
  const state = desc.getBigUint64(offsets.state, littleEndian)
  const begin = desc.getBigUint64(offsets.begin, littleEndian)
  const next = desc.getBigUint64(offsets.next, littleEndian)
  // The id of the descriptor's slot changes when a writer takes it over: that record is gone.
  if ((state & idMask) !== id) return 'reused'
  const phase = Number(state >> 62n)
  if (phase === states.reusable) return 'reused'
  const torn = phase === states.reserved
  if (begin === failedText && next === failedText) return 'lost'

  const info = ring.infos.view(index * offsets.infoSize, offsets.infoSize)
  if (info === undefined) return 'unreadable'
  const block = begin === noText && next === noText ? new Uint8Array(0) : readBlock(ring, id, begin, next)
  if (block === undefined) return torn ? 'unfinished' : 'unreadable'
  const text = torn ? tornText(block) : block.subarray(0, info.getUint16(offsets.textLength, littleEndian))
  if (torn && text.length === 0) return 'unfinished'
  const seq = Number(info.getBigUint64(offsets.seq, littleEndian))
  // Every slot carries the sequence numbers that are equal to its index modulo the ring's length.
  if (!Number.isSafeInteger(seq) || seq % ring.count !== index) return torn ? 'unfinished' : 'unreadable'
  const { levelByte, callerId } = offsets
  return {
    seq,
    timeUs: Number(info.getBigUint64(offsets.time, littleEndian) / 1000n),
    level: levelByte === undefined ? undefined : levelIn(info.getUint8(levelByte), littleEndian),
    facility: levelByte === undefined ? undefined : info.getUint8(levelByte - 1),
    caller: callerId === undefined ? undefined : callerName(info.getUint32(callerId, littleEndian)),
    ...decodeText(text),
    ...(torn ? { torn } : {}),
  }
}

/** The room of a text block, without its id; undefined when the block is not one of this record. */
function readBlock(ring: Ring, id: bigint, begin: bigint, next: bigint): Uint8Array | undefined {
  const bits = BigInt(ring.sizeBits)
  const mask = (1n << bits) - 1n
  const lap = begin >> bits
  // Positions count on through the laps of the ring. A block that would cross the end lies at its
  // start; one that ends exactly there does not cross it, hence the - 1.
  const lastLap = BigInt.asUintN(64, next - 1n) >> bits
  const isWrapped = lap !== lastLap
  if (isWrapped && BigInt.asUintN(64, begin + (1n << bits)) >> bits !== lastLap) return undefined
  const start = isWrapped ? 0 : Number(begin & mask)
  const size = Number(isWrapped ? next & mask : BigInt.asUintN(64, next - begin))
  if (size < wordBytes || size > 2 ** ring.sizeBits || start % wordBytes !== 0 || size % wordBytes !== 0) {
    return undefined
  }
  const owner = ring.text.view(start, wordBytes)
  if (owner === undefined || owner.getBigUint64(0, ring.littleEndian) !== id) return undefined
  return ring.text.bytes(start + wordBytes, Math.min(size - wordBytes, maxTextLength))
}

/** text_len is a u16. */
const maxTextLength = 0xffff

/** What a writer had put into its block: up to a NUL, and only if it looks like text. */
function tornText(block: Uint8Array): Uint8Array {
  const end = block.indexOf(0)
  const text = end < 0 ? block : block.subarray(0, end)
  return text.every((byte) => byte >= 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x1b)
    ? text
    : text.subarray(0, 0)
}

function openRing({ memory, vmcoreinfo }: LogSource): Ring {
  const offsets = ringOffsets(vmcoreinfo)
  const prb = memory.u64(required(vmcoreinfo.symbol('prb'), 'SYMBOL(prb)'))
  const word = (at: number): bigint => memory.u64(prb + BigInt(at))
  const stretch = (at: number, size: number): Stretch => new Stretch(memory, word(at) as VirtAddr, size)
  const { countBits, sizeBits } = ringBits(memory, prb, offsets)
  const count = 2 ** countBits
  return {
    offsets,
    littleEndian: memory.littleEndian,
    count,
    sizeBits,
    descs: stretch(offsets.descs, count * offsets.descSize),
    infos: stretch(offsets.infos, count * offsets.infoSize),
    text: stretch(offsets.data, 2 ** sizeBits),
    headId: word(offsets.headId) & idMask,
    tailId: word(offsets.tailId) & idMask,
    failed: offsets.fail === undefined ? 0 : Number(word(offsets.fail)),
  }
}

/** Logarithms of the number of descriptors and of the bytes of text. @throws {KernelError} absurd. */
export function ringBits(
  memory: VirtualMemory,
  prb: VirtAddr,
  offsets: Offsets,
): { readonly countBits: number; readonly sizeBits: number } {
  const read = (at: number, what: string, max: number): number => {
    const value = memory.u32(prb + BigInt(at))
    if (value >= 3 && value <= max) return value
    throw new KernelError(`the kernel log at ${hex(prb)} is damaged: ${what} is ${value}`, {
      hint: 'the dump may be cut short, or the memory was overwritten after the crash',
    })
  }
  return {
    countBits: read(offsets.countBits, 'prb_desc_ring.count_bits', maxCountBits),
    sizeBits: read(offsets.sizeBits, 'prb_data_ring.size_bits', maxSizeBits),
  }
}

export type Offsets = ReturnType<typeof ringOffsets>

/** Bytes into printk_ringbuffer for its parts, into the element for the others. */
export function ringOffsets(vmcoreinfo: Vmcoreinfo) {
  const offset = (member: string): number => required(vmcoreinfo.offset(member), `OFFSET(${member})`)
  const size = (type: string): number => {
    const value = required(vmcoreinfo.size(type), `SIZE(${type})`)
    if (value > maxElementSize) throw new KernelError(`VMCOREINFO gives ${type} a size of ${value} bytes`)
    return value
  }
  const descRing = offset('printk_ringbuffer.desc_ring')
  const textRing = offset('printk_ringbuffer.text_data_ring')
  const counter = vmcoreinfo.offset('atomic_long_t.counter') ?? 0
  const block = offset('prb_desc.text_blk_lpos')
  const descSize = size('prb_desc')
  const infoSize = size('printk_info')
  const inside = (member: string, at: number, bytes: number, limit: number): number => {
    if (at + bytes <= limit) return at
    throw new KernelError(`VMCOREINFO puts ${member} at ${at}, outside its struct of ${limit} bytes`)
  }
  const textLength = inside('printk_info.text_len', offset('printk_info.text_len'), 2, infoSize)
  const callerId = vmcoreinfo.offset('printk_info.caller_id')
  if (callerId !== undefined) inside('printk_info.caller_id', callerId, 4, infoSize)
  return {
    countBits: descRing + offset('prb_desc_ring.count_bits'),
    descs: descRing + offset('prb_desc_ring.descs'),
    infos: descRing + offset('prb_desc_ring.infos'),
    headId: descRing + offset('prb_desc_ring.head_id') + counter,
    tailId: descRing + offset('prb_desc_ring.tail_id') + counter,
    fail: vmcoreinfo.offset('printk_ringbuffer.fail'),
    sizeBits: textRing + offset('prb_data_ring.size_bits'),
    data: textRing + offset('prb_data_ring.data'),
    textRing,
    counter,
    descSize,
    state: inside('prb_desc.state_var', offset('prb_desc.state_var') + counter, 8, descSize),
    begin: inside('prb_desc.begin', block + offset('prb_data_blk_lpos.begin'), 8, descSize),
    next: inside('prb_desc.next', block + offset('prb_data_blk_lpos.next'), 8, descSize),
    infoSize,
    seq: inside('printk_info.seq', offset('printk_info.seq'), 8, infoSize),
    time: inside('printk_info.ts_nsec', offset('printk_info.ts_nsec'), 8, infoSize),
    textLength,
    callerId,
    // u8 facility and u8 flags:5, level:3 are not exported; they stand between text_len and caller_id.
    levelByte: callerId === textLength + 4 ? textLength + 3 : undefined,
  }
}
