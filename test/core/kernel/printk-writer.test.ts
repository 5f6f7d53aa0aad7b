// The judge is makeLogRing(), which follows the kernel's algorithm on its own: a log to which records
// were added must be, byte for byte, the log that held them from the start.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FaultError, KernelError } from '../../../src/core/errors.ts'
import { readLog } from '../../../src/core/kernel/printk.ts'
import { appendToLog, type NewRecord } from '../../../src/core/kernel/printk-writer.ts'
import { type MadeLog, type Message, makeLogRing } from '../../make/log-ring.ts'

/** Older kernels move a block that would end at the ring's end to its start; all kernels read that. */
const options = { mayEndAtEnd: false }

function added(log: MadeLog, records: readonly NewRecord[]): Uint8Array {
  const bytes = log.bytes.slice()
  for (const write of appendToLog(log, records)) bytes.set(write.bytes, write.address)
  return bytes
}

const record = (text: string, more: Partial<NewRecord> = {}): NewRecord => ({
  timeNs: 5n,
  text: Buffer.from(text),
  level: 0,
  caller: 0x80000001,
  ...more,
})
const message = ({ text, timeNs, level, caller }: NewRecord): Message => ({
  text,
  level,
  callerId: caller,
  ...(timeNs === undefined ? {} : { timeNs }),
})

describe('log writer', () => {
  it('adds to any log what the kernel would have', () => {
    const text = fc.string({ maxLength: 200 })
    fc.assert(
      fc.property(
        fc.array(text, { minLength: 1, maxLength: 120 }),
        fc.array(text, { maxLength: 4 }),
        (old, fresh) => {
          const before = old.map((one): Message => ({ text: one }))
          const records = fresh.map((one) => record(one))
          const wanted = makeLogRing([...before, ...records.map(message)], options).bytes
          expect(Buffer.from(added(makeLogRing(before, options), records)).equals(wanted)).toBe(true)
        },
      ),
    )
  })

  it('writes records that the reader reads, one millisecond after the last', () => {
    const log = makeLogRing([{ text: 'before', timeNs: 7_000_000_000n }], options)
    const line = { text: Buffer.from('Kernel panic - not syncing: test'), level: 0, caller: 0x80000001 }
    log.bytes.set(added(log, [line, line]))
    expect(readLog(log).records.slice(1)).toEqual([
      { seq: 1, timeUs: 7_001_000, level: 0, facility: 0, caller: 'C1', text: line.text.toString() },
      { seq: 2, timeUs: 7_002_000, level: 0, facility: 0, caller: 'C1', text: line.text.toString() },
    ])
  })

  it('refuses more than half of the ring', () => {
    const log = makeLogRing([{ text: 'before' }], options)
    expect(() => appendToLog(log, [record('x'.repeat(2100))])).toThrow(KernelError)
  })

  it('refuses a log whose oldest text is not its own, or is missing', () => {
    const full = Array.from({ length: 100 }, (_, i): Message => ({ text: `line ${i} ${'x'.repeat(100)}` }))
    const log = makeLogRing(full, options)
    log.bytes.fill(0, log.layout.text, log.layout.end)
    expect(() => appendToLog(log, [record('more')])).toThrow(KernelError)
    const cut = makeLogRing(full, {
      ...options,
      missing: ({ text, end }) => [{ start: text, end }],
    })
    expect(() => appendToLog(cut, [record('more')])).toThrow(FaultError)
  })
})
