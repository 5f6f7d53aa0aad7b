import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpError } from '../../../src/core/errors.ts'
import { isPartial, readLog } from '../../../src/core/kernel/printk.ts'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'
import { makeKernelMemory } from '../../make/kernel-memory.ts'
import { makeLogRecords, recordBufferAt } from '../../make/log-records.ts'
import type { Message } from '../../make/log-ring.ts'

const numbered = (count: number, length = 20): Message[] =>
  Array.from({ length: count }, (_, i) => ({ text: `message ${i} `.padEnd(length, '.') }))

const texts = (log: { records: readonly { text: string }[] }): string[] => log.records.map((r) => r.text)

describe('the record-buffer log of Linux 3.5 to 5.9', () => {
  it('gives every field of a record', () => {
    const messages: Message[] = [
      { text: 'Linux version 5.4.0', timeNs: 0n, level: 5, callerId: 0 },
      { text: 'a\nb', timeNs: 12_844_228_999n, level: 4, callerId: 2 ** 31 + 3 },
      { text: '', timeNs: 12_900_000_000n, level: 6, facility: 1, callerId: 9 },
    ]
    const log = readLog(makeLogRecords(messages, { callers: true }))
    expect(log).toEqual({
      layout: 'records',
      records: [
        { seq: 0, timeUs: 0, level: 5, facility: 0, caller: 'T0', text: 'Linux version 5.4.0' },
        { seq: 1, timeUs: 12_844_228, level: 4, facility: 0, caller: 'C3', text: 'a\nb' },
        { seq: 2, timeUs: 12_900_000, level: 6, facility: 1, caller: 'T9', text: '' },
      ],
      overwritten: undefined,
      lost: 0,
      unfinished: 0,
      unreadable: 0,
      problems: [],
    })
    expect(readLog(makeLogRecords(messages)).records.map((r) => r.caller)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('is empty before the first message', () => {
    expect(readLog(makeLogRecords([])).records).toEqual([])
  })

  it('gives the last records in order after the buffer wrapped many times', () => {
    // 48 and 40 bytes a record: 4096 is no multiple of the one, and one of the other but for the end mark
    for (const length of [20, 25, 17, 90]) {
      const messages = numbered(1000, length)
      const made = makeLogRecords(messages)
      const log = readLog(made)
      expect(texts(log)).toEqual(messages.filter((_, i) => made.places[i] !== undefined).map((m) => m.text))
      expect(log.records.length).toBeGreaterThan(30)
      expect(isPartial(log)).toBe(false)
    }
  })

  it('goes on behind a missing page with the first record that leads to the newest', () => {
    const messages = numbered(300, 40)
    const options = { size: 32768 }
    const page = { start: recordBufferAt + 4096, end: recordBufferAt + 8192 }
    const made = makeLogRecords(messages, { ...options, missing: [page] })
    const log = readLog(made)
    const whole = messages.filter((_, i) => {
      const at = recordBufferAt + (made.places[i] as number)
      return at + 56 <= page.start || at >= page.end
    })
    expect(texts(log)).toEqual(whole.map((m) => m.text))
    expect(log.unreadable).toBe(1)
    expect(log.problems).toEqual([
      expect.stringMatching(/^records at bytes 40\d\d to 82\d\d of the log are missing or damaged$/),
      expect.stringMatching(/^log buffer: 4096 bytes .* left out of the dump$/),
    ])
  })

  it('goes on behind a missing page of a wrapped buffer too', () => {
    // 292 records a lap: the newest is the 24th of the fourth, the missing page is between oldest and mark
    const messages = numbered(900, 40)
    const page = { start: recordBufferAt + 4096, end: recordBufferAt + 8192 }
    const made = makeLogRecords(messages, { size: 16384, missing: [page] })
    const log = readLog(made)
    expect(log.records.at(-1)?.text).toBe(messages.at(-1)?.text)
    expect(log.records.length).toBeGreaterThan((16384 - 4096) / 56 - 4)
    expect(isPartial(log)).toBe(true)
  })

  it('gives the records around one whose text is missing', () => {
    const messages = [{ text: 'before' }, { text: 'x'.repeat(9000) }, { text: 'after' }]
    const page = { start: recordBufferAt + 4096, end: recordBufferAt + 8192 }
    const log = readLog(makeLogRecords(messages, { size: 16384, missing: [page] }))
    expect(texts(log)).toEqual(['before', 'after'])
    expect(log.unreadable).toBe(1)
  })

  it('survives any size and offset in VMCOREINFO', () => {
    const made = makeLogRecords(numbered(200, 30), { callers: true })
    const lines = made.vmcoreinfo.text.trim().split('\n')
    for (const [i, line] of lines.entries()) {
      const [key, value = ''] = line.split('=')
      for (const other of [0, 1, Number(value) - 1, Number(value) + 1, 7, 4095, 4097, 0xffffffff, -1]) {
        const vmcoreinfo = new Vmcoreinfo(lines.with(i, `${key}=${other}`).join('\n'))
        try {
          expect(readLog({ memory: made.memory, vmcoreinfo }).records.length).toBeLessThanOrEqual(256)
        } catch (error) {
          if (!(error instanceof DumpError)) throw error
        }
      }
    }
  })

  it('survives any damage: a DumpError, or records within the limits', () => {
    const made = makeLogRecords(numbered(200, 30), { size: 4096 })
    const place = fc.oneof(fc.nat(0x40), fc.integer({ min: recordBufferAt, max: made.bytes.length - 2 }))
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.integer({ min: 0, max: 0xffff })), { minLength: 1, maxLength: 10 }),
        (changes) => {
          const bytes = made.bytes.slice()
          const view = new DataView(bytes.buffer)
          for (const [at, value] of changes) view.setUint16(at, value, true)
          try {
            const log = readLog({ memory: makeKernelMemory(bytes), vmcoreinfo: made.vmcoreinfo })
            expect(log.records.length).toBeLessThanOrEqual(4096 / 16)
            expect(texts(log).join('').length).toBeLessThanOrEqual(4096)
          } catch (error) {
            if (!(error instanceof DumpError)) throw error
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
