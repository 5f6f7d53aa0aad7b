// A kernel log as Linux 3.5 to 5.9 leaves it in memory: records of varying length in one buffer.
// Source: Linux v5.9 kernel/printk/printk.c (log_store).

import { Vmcoreinfo } from '../../src/core/kernel/vmcoreinfo.ts'
import type { VirtualMemory } from '../../src/core/memory/virtual.ts'
import type { Range } from '../../src/core/ranges.ts'
import { kernelBase, makeKernelMemory } from './kernel-memory.ts'
import type { Message } from './log-ring.ts'

export interface LogRecordsOptions {
  /** Bytes of the buffer. */
  readonly size?: number
  /** With CONFIG_PRINTK_CALLER (5.1 and later) headers are 24 bytes, not 16. */
  readonly callers?: boolean
  readonly missing?: readonly Range[]
}

export interface MadeRecordLog {
  readonly memory: VirtualMemory
  readonly vmcoreinfo: Vmcoreinfo
  readonly bytes: Uint8Array
  /** Where each message of the input stands in the buffer; undefined when it was overwritten. */
  readonly places: readonly (number | undefined)[]
}

/** Where the buffer is, bytes into the memory. */
export const recordBufferAt = 0x1000

export function makeLogRecords(messages: readonly Message[], options: LogRecordsOptions = {}): MadeRecordLog {
  const { size = 4096, callers = false } = options
  const headerSize = callers ? 24 : 16
  const bytes = new Uint8Array(recordBufferAt + size)
  const view = new DataView(bytes.buffer)
  /** Records in the buffer, oldest first. */
  let live: { at: number; length: number; message: number }[] = []
  let next = 0

  const hasRoom = (length: number): boolean => {
    const first = live[0]?.at ?? 0
    const free = next > first || live.length === 0 ? Math.max(size - next, first) : first - next
    return free >= length + headerSize
  }

  messages.forEach((message, number) => {
    const content = typeof message.text === 'string' ? Buffer.from(message.text) : message.text
    const length = Math.ceil((headerSize + content.length) / 8) * 8
    while (live.length > 0 && !hasRoom(length)) live = live.slice(1)
    if (next + length + headerSize > size) {
      bytes.fill(0, recordBufferAt + next, recordBufferAt + next + headerSize)
      next = 0
    }
    const at = recordBufferAt + next
    bytes.fill(0, at, at + length)
    view.setBigUint64(at, message.timeNs ?? 0n, true)
    view.setUint16(at + 8, length, true)
    view.setUint16(at + 10, content.length, true)
    view.setUint8(at + 14, message.facility ?? 0)
    view.setUint8(at + 15, 2 | ((message.level ?? 6) << 5))
    if (callers) view.setUint32(at + 16, message.callerId ?? 0, true)
    bytes.set(content, at + headerSize)
    live.push({ at: next, length, message: number })
    next += length
  })

  view.setBigUint64(0, kernelBase + BigInt(recordBufferAt), true)
  view.setUint32(0x10, size, true)
  view.setUint32(0x20, live[0]?.at ?? next, true)
  view.setUint32(0x30, next, true)
  const address = (at: number): string => (kernelBase + BigInt(at)).toString(16)
  const vmcoreinfo = new Vmcoreinfo(`SYMBOL(log_buf)=${address(0)}
SYMBOL(log_buf_len)=${address(0x10)}
SYMBOL(log_first_idx)=${address(0x20)}
SYMBOL(log_next_idx)=${address(0x30)}
SIZE(printk_log)=${headerSize}
OFFSET(printk_log.ts_nsec)=0
OFFSET(printk_log.len)=8
OFFSET(printk_log.text_len)=10
OFFSET(printk_log.dict_len)=12
${callers ? 'OFFSET(printk_log.caller_id)=16\n' : ''}`)
  const places = messages.map((_, number) => live.find((record) => record.message === number)?.at)
  return { memory: makeKernelMemory(bytes, options.missing), vmcoreinfo, bytes, places }
}
