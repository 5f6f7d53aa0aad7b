// The log as makedumpfile writes it, of logs that were built; what the expected text is follows from
// its manual page and printk.c.

import { describe, expect, it } from 'vitest'
import { dumpDmesg } from '../../../src/core/kernel/dump-dmesg.ts'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'
import { kernelBase, makeKernelMemory } from '../../make/kernel-memory.ts'
import { makeLogRecords } from '../../make/log-records.ts'
import { type Message, makeLogRing } from '../../make/log-ring.ts'

const text = (log: { readonly bytes: Uint8Array }): string => Buffer.from(log.bytes).toString('latin1')
const address = (at: number): string => (kernelBase + BigInt(at)).toString(16)
const withLines = (made: { readonly vmcoreinfo: Vmcoreinfo }, lines: string): Vmcoreinfo =>
  new Vmcoreinfo(`${made.vmcoreinfo.text}\n${lines}`)

const messages: Message[] = [
  { text: 'Linux version', timeNs: 0n, callerId: 0 },
  { text: 'two\nlines', timeNs: 1_500_000_999n, callerId: 2 ** 31 + 12 },
  { text: Uint8Array.of(0x1b, 0x5b, 0x6d, 0xc3), timeNs: 2_000_000_000n, callerId: 1234567 },
]

describe('--dump-dmesg', () => {
  it('says who wrote a record, indents later lines, escapes what is no text', () => {
    const expected = [
      '[    0.000000] [      T0] Linux version',
      '[    1.500000] [     C12] two',
      '                          lines',
      '[    2.000000] [T1234567] \\x1b[m\\xc3',
      '',
    ].join('\n')
    expect(text(dumpDmesg(makeLogRing(messages)))).toBe(expected)
    expect(text(dumpDmesg(makeLogRecords(messages, { callers: true })))).toBe(expected)
  })

  it('leaves out what was being written, and in a ring what has no text', () => {
    const made = makeLogRing([
      { text: 'whole' },
      { text: '', dataless: 'empty' },
      { text: 'torn', torn: true },
    ])
    expect(text(dumpDmesg(made))).toMatch(/^\[ {4}0\.000000\] \[ +T0\] whole\n$/)
    const records = makeLogRecords([{ text: 'whole' }, { text: '' }])
    expect(text(dumpDmesg(records))).toBe('[    0.000000] whole\n[    0.000000] \n')
  })

  it.each([
    ['a number', [2n], ''],
    ['the first of two numbers', [4n, 2n, 99n], 'SIZE(latched_seq)=24\nOFFSET(latched_seq.val)=8'],
    ['the second of two numbers', [5n, 99n, 2n], 'SIZE(latched_seq)=24\nOFFSET(latched_seq.val)=8'],
  ])('--partial-dmesg begins where the log was cleared, by %s', (_, values, lines) => {
    const made = makeLogRing(messages)
    const view = new DataView(made.bytes.buffer)
    for (const [i, value] of values.entries()) view.setBigUint64(0x100 + 8 * i, value, true)
    const vmcoreinfo = withLines(made, `SYMBOL(clear_seq)=${address(0x100)}\n${lines}`)
    const partial = dumpDmesg({ memory: made.memory, vmcoreinfo }, { sinceClear: true })
    expect(text(partial)).toBe('[    2.000000] [T1234567] \\x1b[m\\xc3\n')
    expect(text(dumpDmesg({ memory: made.memory, vmcoreinfo }))).toContain('Linux version')
  })

  it.each([
    [
      'where the log was cleared',
      1,
      '[    1.500000] two\n               lines\n[    2.000000] \\x1b[m\\xc3\n',
    ],
    ['with the oldest when that is gone', undefined, /^\[ {4}0\.000000\] Linux version\n/],
  ])('--partial-dmesg of the older log begins %s', (_, index, expected) => {
    const made = makeLogRecords(messages)
    const at = index === undefined ? 4000 : (made.places[index] as number)
    new DataView(made.bytes.buffer).setUint32(0x100, at, true)
    const vmcoreinfo = withLines(made, `SYMBOL(clear_idx)=${address(0x100)}`)
    const partial = text(dumpDmesg({ memory: made.memory, vmcoreinfo }, { sinceClear: true }))
    if (typeof expected === 'string') expect(partial).toBe(expected)
    else expect(partial).toMatch(expected)
  })

  it.each([
    [10, '<5>Linux v'],
    [48, ' 2.6.32\n<6>two\n<6>three\n<6>four\n'.slice(-32)],
  ])('gives the bytes of a log before Linux 3.5, %i ever written', (end, expected) => {
    const size = 32
    const bytes = new Uint8Array(0x2000)
    const view = new DataView(bytes.buffer)
    const written = '<5>Linux version 2.6.32\n<6>two\n<6>three\n<6>four\n'
    for (let i = 0; i < end; i++) bytes[0x1000 + (i % size)] = written.charCodeAt(i)
    view.setBigUint64(0, kernelBase + 0x1000n, true)
    view.setUint32(8, size, true)
    view.setUint32(12, end, true)
    const vmcoreinfo = new Vmcoreinfo(
      `SYMBOL(log_buf)=${address(0)}\nSYMBOL(log_buf_len)=${address(8)}\nSYMBOL(log_end)=${address(12)}`,
    )
    const log = dumpDmesg({ memory: makeKernelMemory(bytes), vmcoreinfo })
    expect(text(log)).toBe(expected)
    expect(log.problems).toEqual([])
    view.setUint32(8, 33, true)
    expect(() => dumpDmesg({ memory: makeKernelMemory(bytes), vmcoreinfo })).toThrow('33 bytes')
  })
})
