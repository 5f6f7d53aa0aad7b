import { describe, expect, it } from 'vitest'
import { BufferSource, readUpTo } from '../../../src/core/byte-source.ts'
import { flattenedContainer } from '../../../src/formats/flattened/reader.ts'
import { openSource } from '../../../src/formats/index.ts'
import { makeElfCore, pattern } from '../../make/elf-core.ts'
import { makeFlattened } from '../../make/flattened.ts'
import { makeKdump, zlibPage } from '../../make/kdump.ts'

const unwrap = (bytes: Uint8Array) => flattenedContainer.unwrap(new BufferSource(bytes, 'test.flat'))

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1').replaceAll('\0', '.')
const ascii = (value: string): Uint8Array => Buffer.from(value)

describe('flattened stream', () => {
  it('is put together from records in any order, with zeros between them', () => {
    const source = unwrap(
      makeFlattened([
        [10, ascii('world')],
        [0, ascii('hello')],
      ]),
    )
    expect(source.size).toBe(15)
    expect(text(readUpTo(source, 0, 100))).toBe('hello.....world')
    expect(text(readUpTo(source, 3, 9))).toBe('lo.....wo')
    expect(readUpTo(source, 15, 4)).toHaveLength(0)
    expect(source.warnings).toEqual([])
  })

  it('lets the later of two records win', () => {
    const source = unwrap(
      makeFlattened([
        [0, ascii('aaaaaa')],
        [2, ascii('bb')],
        [3, ascii('c')],
      ]),
    )
    expect(text(readUpTo(source, 0, 10))).toBe('aabcaa')
  })

  it('ends at the end record, whatever follows', () => {
    const stream = Buffer.concat([makeFlattened([[0, ascii('x')]]), ascii('garbage after the end record')])
    expect(unwrap(stream).size).toBe(1)
    expect(unwrap(stream).warnings).toEqual([])
  })

  it.each([
    ['without end record', 0, 6],
    ['inside the end record', 15, 6],
  ])('is read as far as it goes when it breaks off %s', (_, endBytes, size) => {
    const source = unwrap(makeFlattened([[0, ascii('abcdef')]], { endBytes }))
    expect(source.size).toBe(size)
    expect(source.warnings?.map(({ code }) => code)).toEqual(['TRUNCATED'])
  })

  it('keeps the part of a record that is there', () => {
    const stream = makeFlattened([[0, ascii('abcdef')]], { endBytes: 0 })
    const source = unwrap(stream.subarray(0, stream.length - 2))
    expect(text(readUpTo(source, 0, 10))).toBe('abcd')
    expect(source.warnings?.[0]?.message).toMatch(/ends inside a record/)
  })

  it('stops at a record that makes no sense and says where', () => {
    const stream = Buffer.from(
      makeFlattened([
        [0, ascii('abcd')],
        [4, ascii('efgh')],
      ]),
    )
    stream.writeBigInt64BE(-5n, 4096 + 20)
    const source = unwrap(stream)
    expect(source.size).toBe(4)
    expect(source.warnings).toEqual([
      {
        code: 'DAMAGED',
        message: expect.stringMatching(/no record at byte 0x1014, offset 18446744073709551611/),
      },
    ])
  })

  it('is refused when it is of another type', () => {
    expect(() => unwrap(makeFlattened([], { type: 2n }))).toThrow(/flattened header, type at byte 0x10/)
  })

  it('may carry an ELF core or a kdump-compressed file', () => {
    const elf = makeElfCore({ segments: [{ physical: 0, data: pattern(64) }] })
    const kdump = makeKdump({ maxMapnr: 8, pages: [zlibPage(5)] })
    const byte = new Uint8Array(1)
    for (const [file, address, value] of [
      [elf, 7, 7],
      [kdump, 5 * 4096, 5],
    ] as const) {
      const half = file.length >> 1
      const stream = makeFlattened([
        [half, file.subarray(half)],
        [0, file.subarray(0, half)],
      ])
      using dump = openSource(new BufferSource(stream, 'test.flat'))
      dump.memory.read(address, byte)
      expect(byte[0]).toBe(value)
      expect(dump.container).toBe('flattened')
    }
  })

  it('that broke off gives the pages that arrived', () => {
    const file = makeKdump({ maxMapnr: 8, pages: [{ pfn: 1 }, { pfn: 2 }, { pfn: 3 }] })
    const stream = makeFlattened([[0, file]], { endBytes: 0 })
    using dump = openSource(new BufferSource(stream.subarray(0, stream.length - 5000), 'test.flat'))
    expect(dump.warnings.map(({ code }) => code)).toEqual(['TRUNCATED', 'TRUNCATED'])
    const stored = dump.memory.storedPages(4096)
    expect([1, 2, 3].map((pfn) => stored.has(pfn))).toEqual([true, false, false])
  })
})
