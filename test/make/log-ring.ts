// A kernel log as printk_ringbuffer (Linux 5.10 and later) leaves it in memory, written the way the
// kernel writes it: descriptors and text blocks are taken from the tail as room is needed.
// Source: Linux kernel/printk/printk_ringbuffer.c.

import { Vmcoreinfo } from '../../src/core/kernel/vmcoreinfo.ts'
import type { VirtualMemory } from '../../src/core/memory/virtual.ts'
import type { Range } from '../../src/core/ranges.ts'
import { kernelBase, makeKernelMemory } from './kernel-memory.ts'

export interface Message {
  readonly text: string | Uint8Array
  readonly timeNs?: bigint
  readonly level?: number
  readonly facility?: number
  readonly callerId?: number
  /** Left as `reserved`: the machine stopped while it was being written. */
  readonly torn?: boolean
  /** Block position 3 (a line without text) or 1 (there was no room). */
  readonly dataless?: 'empty' | 'failed'
}

export interface LogRingOptions {
  readonly countBits?: number
  readonly sizeBits?: number
  /** SIZE(printk_info): 88, or 112 with CONFIG_PRINTK_EXECUTION_CTX. */
  readonly infoSize?: number
  /** A block may end exactly at the ring's end (later kernels) or is then moved to its start. */
  readonly mayEndAtEnd?: boolean
  readonly failed?: number
  readonly missing?: (layout: LogRingLayout) => readonly Range[]
}

/** Where the parts are, bytes into the memory. */
export interface LogRingLayout {
  readonly ring: number
  readonly descs: number
  readonly infos: number
  readonly text: number
  readonly end: number
}

export interface MadeLog {
  readonly memory: VirtualMemory
  readonly vmcoreinfo: Vmcoreinfo
  readonly bytes: Uint8Array
  readonly layout: LogRingLayout
}

const idMask = (1n << 62n) - 1n
const states = { reserved: 0n, finalized: 2n, reusable: 3n }
const descSize = 24
const align = (n: number, unit: number): number => Math.ceil(n / unit) * unit

export function makeLogRing(messages: readonly Message[], options: LogRingOptions = {}): MadeLog {
  const { countBits = 5, sizeBits = 12, infoSize = 88, mayEndAtEnd = true, failed = 0 } = options
  const count = 2 ** countBits
  const descs = 0x2000
  const infos = align(descs + count * descSize, 4096)
  const text = align(infos + count * infoSize, 4096)
  const layout = { ring: 0x1000, descs, infos, text, end: align(text + 2 ** sizeBits, 4096) }
  const bytes = new Uint8Array(layout.end)
  const view = new DataView(bytes.buffer)
  const u64 = (at: number, value: bigint): void => view.setBigUint64(at, BigInt.asUintN(64, value), true)
  const pointer = (at: number): bigint => kernelBase + BigInt(at)

  const slot = (id: bigint): number => Number(id & BigInt(count - 1))
  const size = 1n << BigInt(sizeBits)
  const lapOf = (position: bigint): bigint => BigInt.asUintN(64, position) >> BigInt(sizeBits)
  let headId = -BigInt(count + 1) & idMask
  let tailId = headId
  let headPosition = BigInt.asUintN(64, -size)
  let tailPosition = headPosition
  const sequence: number[] = Array.from({ length: count }, () => 0)
  sequence[0] = -count
  u64(descs + slot(headId) * descSize, (states.reusable << 62n) | headId)
  u64(descs + slot(headId) * descSize + 8, 1n)
  u64(descs + slot(headId) * descSize + 16, 1n)

  /** Make the blocks from the tail on reusable until `until` is free. */
  function freeText(until: bigint): void {
    while (BigInt.asIntN(64, tailPosition - until) < 0n) {
      const owner = view.getBigUint64(text + Number(tailPosition & (size - 1n)), true)
      const at = descs + slot(owner) * descSize
      u64(at, (states.reusable << 62n) | owner)
      tailPosition = view.getBigUint64(at + 16, true)
    }
  }

  function allocate(length: number, id: bigint): { begin: bigint; next: bigint; data: number } {
    const room = BigInt(align(length, 8) + 8)
    const begin = headPosition
    let next = BigInt.asUintN(64, begin + room)
    const crosses = lapOf(begin) !== lapOf(mayEndAtEnd ? next - 1n : next)
    if (crosses) next = BigInt.asUintN(64, (lapOf(begin + size) << BigInt(sizeBits)) + room)
    freeText(BigInt.asUintN(64, next - size))
    headPosition = next
    u64(text + Number(begin & (size - 1n)), id)
    if (crosses) u64(text, id)
    return { begin, next, data: text + 8 + (crosses ? 0 : Number(begin & (size - 1n))) }
  }

  for (const message of messages) {
    const id = (headId + 1n) & idMask
    if (((id - BigInt(count)) & idMask) === tailId) {
      const at = descs + slot(tailId) * descSize
      const begin = view.getBigUint64(at + 8, true)
      const next = view.getBigUint64(at + 16, true)
      if ((begin & 1n) === 0n && BigInt.asIntN(64, tailPosition - next) < 0n) freeText(next)
      u64(at, (states.reusable << 62n) | tailId)
      tailId = (tailId + 1n) & idMask
    }
    headId = id
    const index = slot(id)
    const before = sequence[index] as number
    sequence[index] = before === 0 && index > 0 ? index : before + count
    const content = typeof message.text === 'string' ? Buffer.from(message.text) : message.text
    const at = descs + index * descSize
    const block =
      message.dataless === undefined ? allocate(content.length, id) : { begin: 3n, next: 3n, data: -1 }
    if (message.dataless === 'failed') block.begin = block.next = 1n
    u64(at, ((message.torn ? states.reserved : states.finalized) << 62n) | id)
    u64(at + 8, block.begin)
    u64(at + 16, block.next)
    if (block.data >= 0)
      bytes.fill(0, block.data, block.data + align(content.length, 8)).set(content, block.data)
    const info = infos + index * infoSize
    bytes.fill(0, info, info + infoSize)
    u64(info, BigInt(sequence[index] as number))
    u64(info + 8, message.timeNs ?? 0n)
    view.setUint16(info + 16, content.length, true)
    view.setUint8(info + 18, message.facility ?? 0)
    view.setUint8(info + 19, 2 | ((message.level ?? 6) << 5))
    view.setUint32(info + 20, message.callerId ?? 0, true)
  }

  u64(0, pointer(layout.ring))
  view.setUint32(layout.ring, countBits, true)
  u64(layout.ring + 8, pointer(descs))
  u64(layout.ring + 16, pointer(infos))
  u64(layout.ring + 24, headId)
  u64(layout.ring + 32, tailId)
  view.setUint32(layout.ring + 48, sizeBits, true)
  u64(layout.ring + 56, pointer(text))
  u64(layout.ring + 64, headPosition)
  u64(layout.ring + 72, tailPosition)
  u64(layout.ring + 80, BigInt(failed))
  const memory = makeKernelMemory(bytes, options.missing?.(layout))
  return { memory, vmcoreinfo: new Vmcoreinfo(ringVmcoreinfo(infoSize)), bytes, layout }
}

/** The keys of Linux 5.18 and later on a 64-bit machine. */
const ringVmcoreinfo = (infoSize: number): string => `SYMBOL(prb)=${kernelBase.toString(16)}
SIZE(printk_ringbuffer)=88
OFFSET(printk_ringbuffer.desc_ring)=0
OFFSET(printk_ringbuffer.text_data_ring)=48
OFFSET(printk_ringbuffer.fail)=80
SIZE(prb_desc_ring)=48
OFFSET(prb_desc_ring.count_bits)=0
OFFSET(prb_desc_ring.descs)=8
OFFSET(prb_desc_ring.infos)=16
OFFSET(prb_desc_ring.head_id)=24
OFFSET(prb_desc_ring.tail_id)=32
SIZE(prb_desc)=24
OFFSET(prb_desc.state_var)=0
OFFSET(prb_desc.text_blk_lpos)=8
SIZE(prb_data_blk_lpos)=16
OFFSET(prb_data_blk_lpos.begin)=0
OFFSET(prb_data_blk_lpos.next)=8
SIZE(printk_info)=${infoSize}
OFFSET(printk_info.seq)=0
OFFSET(printk_info.ts_nsec)=8
OFFSET(printk_info.text_len)=16
OFFSET(printk_info.caller_id)=20
SIZE(prb_data_ring)=32
OFFSET(prb_data_ring.size_bits)=0
OFFSET(prb_data_ring.data)=8
OFFSET(prb_data_ring.head_lpos)=16
OFFSET(prb_data_ring.tail_lpos)=24
SIZE(atomic_long_t)=8
OFFSET(atomic_long_t.counter)=0
`
