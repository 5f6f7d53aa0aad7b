import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpError } from '../../../src/core/errors.ts'
import { isPartial, readLog, textBytes } from '../../../src/core/kernel/printk.ts'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'
import { makeKernelMemory } from '../../make/kernel-memory.ts'
import { type Message, makeLogRing } from '../../make/log-ring.ts'

const numbered = (count: number, length = 20): Message[] =>
  Array.from({ length: count }, (_, i) => ({ text: `message ${i} `.padEnd(length, '.') }))

const texts = (log: { records: readonly { text: string }[] }): string[] => log.records.map((r) => r.text)

describe('the ring-buffer log', () => {
  it('gives every field of a record', () => {
    const log = readLog(
      makeLogRing([
        { text: 'Linux version 6.1.0', timeNs: 0n, level: 5, callerId: 0 },
        { text: 'a\nb', timeNs: 12_844_228_999n, level: 4, callerId: 165 },
        { text: 'from user space', timeNs: 13_000_000_000n, level: 6, facility: 1, callerId: 2 ** 31 + 7 },
      ]),
    )
    expect(log).toEqual({
      layout: 'ring',
      records: [
        { seq: 0, timeUs: 0, level: 5, facility: 0, caller: 'T0', text: 'Linux version 6.1.0' },
        { seq: 1, timeUs: 12_844_228, level: 4, facility: 0, caller: 'T165', text: 'a\nb' },
        { seq: 2, timeUs: 13_000_000, level: 6, facility: 1, caller: 'C7', text: 'from user space' },
      ],
      overwritten: 0,
      lost: 0,
      unfinished: 0,
      unreadable: 0,
      problems: [],
    })
  })

  it('takes the length of an element from VMCOREINFO, 112 bytes with CONFIG_PRINTK_EXECUTION_CTX', () => {
    expect(texts(readLog(makeLogRing(numbered(3), { infoSize: 112 })))).toEqual(
      numbered(3).map((m) => m.text),
    )
  })

  it('is empty before the first message', () => {
    const log = readLog(makeLogRing([]))
    expect(log.records).toEqual([])
    expect(isPartial(log)).toBe(false)
  })

  it('gives the last records in order after the descriptors wrapped many times', () => {
    const log = readLog(makeLogRing(numbered(1000), { countBits: 5, sizeBits: 12 }))
    expect(log.records.map((r) => r.seq)).toEqual(Array.from({ length: 32 }, (_, i) => 968 + i))
    expect(texts(log)).toEqual(
      numbered(1000)
        .slice(968)
        .map((m) => m.text),
    )
    expect(log.overwritten).toBe(968)
    expect(isPartial(log)).toBe(false)
  })

  it.each([true, false])(
    'gives whole texts after the text wrapped (a block may end at the end: %s)',
    (mayEndAtEnd) => {
      // 512 bytes hold seven blocks of 72 and 8 left over, so blocks cross the end and end there exactly
      for (const length of [24, 50, 64, 56]) {
        const messages = numbered(100, length)
        const log = readLog(makeLogRing(messages, { countBits: 6, sizeBits: 9, mayEndAtEnd }))
        const kept = texts(log)
        expect(kept.length).toBeGreaterThanOrEqual(Math.floor(512 / (length + 16)) - 1)
        expect(kept).toEqual(messages.slice(-kept.length).map((m) => m.text))
        expect(log.overwritten).toBe(100 - kept.length)
      }
    },
  )

  it('prints an empty line, and counts text for which there was no room', () => {
    const log = readLog(
      makeLogRing(
        [{ text: 'a' }, { text: '', dataless: 'empty' }, { text: '', dataless: 'failed' }, { text: 'b' }],
        {
          failed: 4,
        },
      ),
    )
    expect(texts(log)).toEqual(['a', '', 'b'])
    expect(log.lost).toBe(1 + 4)
    expect(isPartial(log)).toBe(false)
  })

  it('marks a record that was being written, and leaves it out when it holds no text yet', () => {
    const log = readLog(makeLogRing([{ text: 'before' }, { text: 'half a li', torn: true }]))
    expect(log.records.at(-1)).toMatchObject({ text: 'half a li', torn: true })
    const empty = readLog(makeLogRing([{ text: 'before' }, { text: '\0\0\0\0', torn: true }]))
    expect(texts(empty)).toEqual(['before'])
    expect(empty.unfinished).toBe(1)
    expect(isPartial(empty)).toBe(false)
  })

  it('keeps bytes that are not UTF-8', () => {
    const bytes = Uint8Array.of(0x66, 0xfc, 0x72, 0x1b)
    const [record] = readLog(makeLogRing([{ text: bytes }])).records
    expect(record?.text).toBe('f\ufffdr\x1b')
    expect(Buffer.from(textBytes(record ?? { text: '' }))).toEqual(Buffer.from(bytes))
    const [plain] = readLog(makeLogRing([{ text: 'grün' }])).records
    expect(plain).toMatchObject({ text: 'grün' })
    expect(plain?.base64).toBeUndefined()
  })

  it('gives what is left and the reason when a page of text is missing', () => {
    const log = readLog(
      makeLogRing(numbered(200, 100), {
        countBits: 8,
        sizeBits: 15,
        missing: ({ text }) => [{ start: text + 8192, end: text + 12288 }],
      }),
    )
    // a block is 8 + 104 bytes: those that touch bytes 8192 to 12287
    const gone = numbered(200, 100).filter((_, i) => i * 112 < 12288 && (i + 1) * 112 > 8192)
    expect(log.unreadable).toBe(gone.length)
    expect(texts(log)).toEqual(
      numbered(200, 100)
        .filter((m) => !gone.some((g) => g.text === m.text))
        .map((m) => m.text),
    )
    expect(log.problems).toEqual([
      expect.stringMatching(/^text of the log: 4096 bytes .* left out of the dump/),
    ])
  })

  it('gives the other records when a page of descriptors or headers is missing', () => {
    for (const part of ['descs', 'infos'] as const) {
      const log = readLog(
        makeLogRing(numbered(400), {
          countBits: 9,
          sizeBits: 15,
          missing: (layout) => [{ start: layout[part], end: layout[part] + 4096 }],
        }),
      )
      expect(log.records.length).toBeGreaterThan(100)
      expect(log.records.length + log.unreadable).toBe(400)
      expect(log.problems).toHaveLength(1)
    }
  })

  it('says what is wrong when the ring itself is not there or VMCOREINFO does not name it', () => {
    const made = makeLogRing(numbered(3), { missing: ({ ring }) => [{ start: ring, end: ring + 8 }] })
    expect(() => readLog(made)).toThrow('page was left out of the dump')
    expect(() => readLog({ ...made, vmcoreinfo: new Vmcoreinfo('OSRELEASE=6.1.0') })).toThrow(
      'does not say where the kernel log is',
    )
    const lines = made.vmcoreinfo.text.split('\n')
    for (const line of lines.filter(
      (text) =>
        /OFFSET|SIZE/.test(text) &&
        !/ringbuffer\)|desc_ring\)|lpos\)|data_ring\)|long_t|fail|caller/.test(text),
    )) {
      const vmcoreinfo = new Vmcoreinfo(lines.filter((text) => text !== line).join('\n'))
      expect(() => readLog({ ...makeLogRing(numbered(3)), vmcoreinfo }), line).toThrow(/has no usable/)
    }
  })

  it('never shows more text than the ring holds, however records overlap', () => {
    const made = makeLogRing(numbered(8, 100), { countBits: 3, sizeBits: 12 })
    const view = new DataView(made.bytes.buffer)
    const end = view.getBigUint64(made.layout.ring + 64, true)
    for (let i = 0; i < 8; i++) {
      view.setBigUint64(made.layout.descs + i * 24 + 16, end + 2048n, true)
      view.setUint16(made.layout.infos + i * 88 + 16, 0xffff, true)
    }
    const log = readLog({ ...made, memory: makeKernelMemory(made.bytes) })
    expect(texts(log).join('').length).toBeLessThanOrEqual(4096)
    expect(log.problems).toContain('records hold more text than the log has room for')
  })

  it('never makes more than a million lines of records that are nothing but newlines', () => {
    const blocks = 40
    const made = makeLogRing(numbered(blocks, 100), { countBits: 6, sizeBits: 22 })
    const view = new DataView(made.bytes.buffer)
    made.bytes.fill(0x0a, made.layout.text + blocks * 112, made.layout.text + 2 ** 17)
    for (let i = 0; i < 64; i++) {
      const begin = view.getBigUint64(made.layout.descs + i * 24 + 8, true)
      view.setBigUint64(made.layout.descs + i * 24 + 16, begin + 0x10000n, true)
      view.setUint16(made.layout.infos + i * 88 + 16, 0xfff0, true)
    }
    const log = readLog({ ...made, memory: makeKernelMemory(made.bytes) })
    expect(log.problems).toContain('the log has more than 1048576 lines')
    expect(log.records.length).toBeGreaterThan(10)
  })

  it('survives any damage: a DumpError, or records within the limits', () => {
    const made = makeLogRing(numbered(60, 40), { countBits: 5, sizeBits: 11 })
    const { ring, descs, infos, text, end } = made.layout
    const place = fc.oneof(
      fc.integer({ min: ring, max: ring + 88 }),
      fc.integer({ min: descs, max: descs + 32 * 24 }),
      fc.integer({ min: infos, max: infos + 32 * 88 }),
      fc.integer({ min: text, max: end - 8 }),
    )
    fc.assert(
      fc.property(
        fc.array(fc.tuple(place, fc.bigInt(0n, 2n ** 64n - 1n)), { minLength: 1, maxLength: 12 }),
        (changes) => {
          const bytes = made.bytes.slice()
          const view = new DataView(bytes.buffer)
          for (const [at, value] of changes) view.setBigUint64(at, value, true)
          try {
            const log = readLog({ memory: makeKernelMemory(bytes), vmcoreinfo: made.vmcoreinfo })
            expect(log.records.length).toBeLessThanOrEqual(2 ** 22)
            const seqs = log.records.map((r) => r.seq)
            expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
          } catch (error) {
            if (!(error instanceof DumpError)) throw error
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  it('survives any size and offset in VMCOREINFO', () => {
    const made = makeLogRing(numbered(60, 40), { countBits: 5, sizeBits: 11 })
    const lines = made.vmcoreinfo.text.trim().split('\n')
    for (const [i, line] of lines.entries()) {
      const [key, value = ''] = line.split('=')
      const number = Number(line.startsWith('SYMBOL') ? `0x${value}` : value)
      for (const other of [0, 1, number - 1, number + 1, 7, 4095, 4096, 0xffff, 0xffffffff, -1]) {
        const changed = lines.with(i, `${key}=${line.startsWith('SYMBOL') ? other.toString(16) : other}`)
        try {
          const log = readLog({ memory: made.memory, vmcoreinfo: new Vmcoreinfo(changed.join('\n')) })
          expect(log.records.length).toBeLessThanOrEqual(60)
        } catch (error) {
          if (!(error instanceof DumpError)) throw error
        }
      }
    }
  })

  it('answers quickly when the newest record is out of reach in the largest ring', () => {
    const made = makeLogRing(numbered(3))
    const view = new DataView(made.bytes.buffer)
    view.setUint32(made.layout.ring, 22, true)
    view.setBigUint64(made.layout.ring + 24, 1n << 40n, true)
    const log = readLog({ ...made, memory: makeKernelMemory(made.bytes) })
    expect(log.records.length).toBeLessThanOrEqual(3)
    expect(log.problems.join()).toContain('not within reach')
  })

  it.each(['count_bits', 'size_bits'] as const)('answers quickly to every value of %s', (field) => {
    const made = makeLogRing(numbered(60, 40), { countBits: 5, sizeBits: 11 })
    for (const value of [0, 1, 2, 4, 6, 21, 22, 23, 27, 28, 31, 32, 62, 0x7fffffff, 0xffffffff]) {
      const bytes = made.bytes.slice()
      const at = made.layout.ring + (field === 'count_bits' ? 0 : 48)
      new DataView(bytes.buffer).setUint32(at, value, true)
      try {
        expect(
          readLog({ memory: makeKernelMemory(bytes), vmcoreinfo: made.vmcoreinfo }).records.length,
        ).toBeLessThan(100)
      } catch (error) {
        if (!(error instanceof DumpError)) throw error
      }
    }
  })
})
