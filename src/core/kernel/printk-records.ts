// The log of Linux 3.5 to 5.9: records of varying length in one buffer, each a header, text and a
// dictionary; a length of 0 sends the reader to the start. Source: Linux v5.9 kernel/printk/printk.c.

import { KernelError } from '../errors.ts'
import { Stretch } from '../memory/stretch.ts'
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

/** Records start at multiples of this at least (LOG_ALIGN). */
const recordAlign = 4
const maxBufferSize = 2 ** 27
/** How far to look for the next sound record behind a damaged one, bytes. */
const searchLimit = 2 ** 20

interface RecordBuffer {
  readonly layout: RecordLayout
  readonly bytes: Stretch
  readonly littleEndian: boolean
}

interface Header {
  /** Bytes of the whole record; 0 at the mark that ends the buffer's last lap. */
  readonly length: number
  readonly textLength: number
  readonly view: DataView
}

/** @throws {KernelError} the buffer makes no sense. @throws {FaultError} its variables are not in the dump. */
export function readRecordBuffer(
  { memory, vmcoreinfo }: LogSource,
  { sinceClear = false }: LogOptions = {},
): KernelLog {
  const variable = (name: string) => required(vmcoreinfo.symbol(name), `SYMBOL(${name})`)
  const size = memory.u32(variable('log_buf_len'))
  const oldest = memory.u32(variable('log_first_idx'))
  const next = memory.u32(variable('log_next_idx'))
  const cleared = sinceClear ? vmcoreinfo.symbol('clear_idx') : undefined
  const first = cleared === undefined ? oldest : laterOf(oldest, memory.u32(cleared), next)
  if (size > maxBufferSize || first >= size || next > size) {
    throw new KernelError(`the kernel log is damaged: records ${first} to ${next} of ${size} bytes`)
  }
  const buffer: RecordBuffer = {
    layout: recordLayout(vmcoreinfo),
    bytes: new Stretch(memory, memory.u64(variable('log_buf')), size),
    littleEndian: memory.littleEndian,
  }
  const records: LogRecord[] = []
  const problems: string[] = []
  const excess = makeLogLimit(size)
  let unreadable = 0
  const parts =
    first <= next
      ? [{ from: first, end: next }]
      : [
          { from: first, end: size },
          { from: 0, end: next },
        ]
  for (const { from, end } of parts) {
    for (let at = from; at < end; ) {
      const header = readHeader(buffer, at, end)
      if (header?.length === 0) break
      if (header !== undefined) {
        const record = readRecord(buffer, at, header, records.length)
        const problem = record && excess(record.text)
        if (problem !== undefined) {
          problems.push(problem)
          break
        }
        if (record === undefined) unreadable++
        else records.push(record)
        at += header.length
        continue
      }
      const resumed = findRecord(buffer, at + recordAlign, end)
      problems.push(`records at bytes ${at} to ${resumed ?? end} of the log are missing or damaged`)
      unreadable++
      at = resumed ?? end
    }
  }
  if (buffer.bytes.gap !== undefined) problems.push(`log buffer: ${buffer.bytes.gap}`)
  return { layout: 'records', records, overwritten: undefined, lost: 0, unfinished: 0, unreadable, problems }
}

/** Where the log was cleared, or its oldest record when that was overwritten since. */
function laterOf(oldest: number, cleared: number, next: number): number {
  const isThere = oldest <= next ? cleared >= oldest && cleared <= next : cleared >= oldest || cleared <= next
  return isThere ? cleared : oldest
}

/** The header at `at`, undefined when it is not in the dump or cannot be one of a record before `end`. */
function readHeader(buffer: RecordBuffer, at: number, end: number): Header | undefined {
  const { layout, bytes, littleEndian } = buffer
  const view = bytes.view(at, layout.size)
  if (view === undefined) return undefined
  const length = view.getUint16(layout.length, littleEndian)
  const textLength = view.getUint16(layout.textLength, littleEndian)
  const dictLength = view.getUint16(layout.dictLength, littleEndian)
  // Only the last lap ends with a mark, and that lap is the one that reaches the buffer's end.
  if (length === 0 && end === bytes.size) return { length, textLength, view }
  const isSound =
    layout.size + textLength + dictLength <= length && at + length <= end && length % recordAlign === 0
  return isSound ? { length, textLength, view } : undefined
}

function readRecord(buffer: RecordBuffer, at: number, header: Header, seq: number): LogRecord | undefined {
  const { layout, bytes, littleEndian } = buffer
  const { view } = header
  const flags = view.getUint8(layout.levelByte)
  const time = view.getBigUint64(layout.time, littleEndian)
  const facility = view.getUint8(layout.levelByte - 1)
  const caller = layout.callerId === undefined ? undefined : view.getUint32(layout.callerId, littleEndian)
  const text = bytes.bytes(at + layout.size, header.textLength)
  if (text === undefined) return undefined
  return {
    seq,
    timeUs: Number(time / 1000n),
    level: levelIn(flags, littleEndian),
    facility,
    caller: caller === undefined ? undefined : callerName(caller),
    ...decodeText(text),
  }
}

/** The first place from which records follow one another exactly up to `end`. */
function findRecord(buffer: RecordBuffer, from: number, end: number): number | undefined {
  const dead = new Set<number>()
  for (let start = from; start < Math.min(end, from + searchLimit); start += recordAlign) {
    let at = start
    while (at < end && !dead.has(at)) {
      const header = readHeader(buffer, at, end)
      if (header === undefined) break
      if (header.length === 0) {
        if (at > start) return start
        break
      }
      dead.add(at)
      at += header.length
    }
    if (at === end) return start
  }
  return undefined
}

type RecordLayout = ReturnType<typeof recordLayout>

/** Bytes into struct printk_log. */
function recordLayout(vmcoreinfo: Vmcoreinfo) {
  const offset = (member: string): number =>
    required(vmcoreinfo.offset(`printk_log.${member}`), `OFFSET(printk_log.${member})`)
  const layout = {
    size: required(vmcoreinfo.size('printk_log'), 'SIZE(printk_log)'),
    time: offset('ts_nsec'),
    length: offset('len'),
    textLength: offset('text_len'),
    dictLength: offset('dict_len'),
    // u8 facility and u8 flags:5, level:3 follow dict_len and are not exported.
    levelByte: offset('dict_len') + 3,
    callerId: vmcoreinfo.offset('printk_log.caller_id'),
  }
  const ends = [layout.time + 8, layout.length + 2, layout.textLength + 2, layout.levelByte + 1]
  if (layout.size > 4096 || Math.max(...ends, (layout.callerId ?? 0) + 4) > layout.size) {
    throw new KernelError(`VMCOREINFO gives printk_log a size of ${layout.size}, too small for its members`)
  }
  return layout
}
