// The kernel log as `makedumpfile --dump-dmesg` writes it. It leaves out records that were being
// written, and in a ring those without text.

import { makedumpfileStyle, renderDmesg } from './dmesg.ts'
import { type LogOptions, type LogSource, readLog } from './printk.ts'
import { type ByteLog, hasByteLog, readByteLog } from './printk-bytes.ts'

/** @throws {KernelError} the dump does not say where the log is, or it is no log · {FaultError} */
export function dumpDmesg(source: LogSource, options: LogOptions = {}): ByteLog {
  if (hasByteLog(source.vmcoreinfo)) return readByteLog(source)
  const log = readLog(source, options)
  const written = log.records.filter(({ torn, text }) => !torn && (text !== '' || log.layout === 'records'))
  const unreadable = log.unreadable === 0 ? [] : [`${log.unreadable} records of the log cannot be read`]
  return {
    bytes: Buffer.from(renderDmesg(written, makedumpfileStyle)),
    problems: [...log.problems, ...unreadable],
  }
}
