// The kernel log of a dump, record by record. Which of the two layouts it has follows from what
// VMCOREINFO names; no symbols and no types are needed. Source: Linux kernel/printk/printk.c.

import { KernelError } from '../errors.ts'
import type { Kernel } from './kernel.ts'
import { readRecordBuffer } from './printk-records.ts'
import { readRing } from './printk-ring.ts'

export interface LogRecord {
  /** Number of the record since boot; in the older layout, of those still in the buffer. */
  readonly seq: number
  /** Microseconds since boot, as the kernel prints them; its nanoseconds would not fit a number for long. */
  readonly timeUs: number
  /** 0 emergency … 7 debug; undefined when the kernel does not say where it is. */
  readonly level: number | undefined
  /** 0 the kernel, others user space by way of /dev/kmsg. */
  readonly facility: number | undefined
  /** `T123` a thread, `C4` a CPU outside any thread. */
  readonly caller: string | undefined
  /** May hold newlines, never ends in one. UTF-8; what is not is replaced, and then `base64` has all bytes. */
  readonly text: string
  readonly base64?: string
  /** The record was being written when the machine stopped: text and time may be wrong. */
  readonly torn?: true
}

export interface KernelLog {
  /** `ring`: the lockless ring buffer of Linux 5.10 and later; `records`: the one of 3.5 to 5.9. */
  readonly layout: 'ring' | 'records'
  /** Oldest first. */
  readonly records: readonly LogRecord[]
  /** Records that newer ones had overwritten; undefined when the layout does not tell. */
  readonly overwritten: number | undefined
  /** Records whose text had found no room. */
  readonly lost: number
  /** Records that were begun and held nothing to show yet. */
  readonly unfinished: number
  /** Records that are not in the dump or make no sense. */
  readonly unreadable: number
  /** Why, for people. */
  readonly problems: readonly string[]
}

/** What reading a log takes of a kernel. */
export type LogSource = Pick<Kernel, 'memory' | 'vmcoreinfo'>

export interface LogOptions {
  /** Only what came after the log was last cleared (`dmesg --clear`). */
  readonly sinceClear?: boolean | undefined
}

/**
 * Read the log. Missing pages and damaged records are counted, not thrown.
 * @throws {KernelError} VMCOREINFO does not say where it is. @throws {FaultError} its header is missing.
 */
export function readLog(source: LogSource, options: LogOptions = {}): KernelLog {
  if (source.vmcoreinfo.symbol('prb') !== undefined) return readRing(source, options)
  if (source.vmcoreinfo.symbol('log_buf') !== undefined) return readRecordBuffer(source, options)
  throw new KernelError('the dump does not say where the kernel log is', {
    hint: 'VMCOREINFO has neither SYMBOL(prb) nor SYMBOL(log_buf): the kernel is older than 3.5 or built without printk',
  })
}

/** True when records are known to be missing for want of memory or by damage. */
export const isPartial = (log: KernelLog): boolean => log.unreadable > 0 || log.problems.length > 0

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const lenientUtf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** The bytes of a record as its `text`, and as `base64` when UTF-8 cannot carry them. */
export function decodeText(bytes: Uint8Array): Pick<LogRecord, 'text' | 'base64'> {
  try {
    return { text: strictUtf8.decode(bytes) }
  } catch {
    return { text: lenientUtf8.decode(bytes), base64: Buffer.from(bytes).toString('base64') }
  }
}

/** The inverse of decodeText. */
export const textBytes = (record: Pick<LogRecord, 'text' | 'base64'>): Uint8Array =>
  record.base64 === undefined ? Buffer.from(record.text) : Buffer.from(record.base64, 'base64')

/** More than any log has. A text may be nothing but newlines, and lines are what takes memory. */
const maxLines = 2 ** 20

/** Counts the texts of a log of `room` bytes; says what is wrong once there is more than a log can hold. */
export function makeLogLimit(room: number): (text: string) => string | undefined {
  let textLeft = room
  let linesLeft = maxLines
  return (text) => {
    textLeft -= text.length
    linesLeft -= text.split('\n').length
    if (textLeft < 0) return 'records hold more text than the log has room for'
    return linesLeft < 0 ? `the log has more than ${maxLines} lines` : undefined
  }
}

/** caller_id as the kernel prints it: bit 31 tells a CPU from a thread. */
export const callerName = (id: number): string => (id >= 2 ** 31 ? `C${id - 2 ** 31}` : `T${id}`)

/** The level in the byte of `u8 flags:5, level:3`: the first bit field takes the lowest bits, or the highest. */
export const levelIn = (byte: number, littleEndian: boolean): number => (littleEndian ? byte >> 5 : byte & 7)
