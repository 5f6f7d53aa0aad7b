import { describe, expect, it } from 'vitest'
import { FormatError } from '../../src/core/errors.ts'
import * as s from '../../src/core/struct.ts'

const i386: s.Abi = { wordBytes: 4, littleEndian: true, align64: 4 }
const arm: s.Abi = { wordBytes: 4, littleEndian: true, align64: 8 }

const sample = s.struct('sample', {
  tag: s.chars(3, 'three characters'),
  small: s.u8('a byte'),
  word: s.uword('unsigned long'),
  wide: s.u64('a size'),
  half: s.i16('signed'),
  address: s.bigword('a pointer'),
  late: s.u32('came with version 2', { since: 2 }),
})

describe('struct layout', () => {
  // Worked out by hand from the C rules: natural alignment, 64-bit members by the ABI.
  it.each([
    ['LP64', s.abi64le, { tag: 0, small: 3, word: 8, wide: 16, half: 24, address: 32, late: 40 }, 48],
    ['i386', i386, { tag: 0, small: 3, word: 4, wide: 8, half: 16, address: 20, late: 24 }, 28],
    ['32-bit Arm', arm, { tag: 0, small: 3, word: 4, wide: 8, half: 16, address: 20, late: 24 }, 32],
  ] as const)('follows the %s ABI', (_, abi, offsets, size) => {
    expect(sample.layout(abi)).toMatchObject({ offsets, size })
  })

  it('has no padding when packed', () => {
    const packed = s.struct('packed', { a: s.u8(''), b: s.u64(''), c: s.u16('') }, { packed: true })
    expect(packed.layout(s.abi64be)).toMatchObject({ offsets: { a: 0, b: 1, c: 9 }, size: 11 })
  })

  it('aligns arrays and nested structs as their elements', () => {
    const inner = s.struct('inner', { x: s.u8(''), y: s.u32('') })
    const outer = s.struct('outer', {
      flag: s.u8(''),
      list: s.array(3, s.u16(''), ''),
      inner: s.nested(inner, ''),
      bytes: s.raw(3, ''),
    })
    expect(outer.layout(s.abi64le)).toMatchObject({
      offsets: { flag: 0, list: 2, inner: 8, bytes: 16 },
      size: 20,
    })
  })
})

describe('struct reading and writing', () => {
  const value = {
    tag: 'ab',
    small: 7,
    word: 0x1000,
    wide: 2 ** 40,
    half: -2,
    address: 0xc000000000000000n,
    late: 9,
  }

  it.each([
    ['little', s.abi64le],
    ['big', s.abi64be],
  ] as const)('reads back what it wrote, %s endian', (_, abi) => {
    expect(sample.parse(sample.write(value, abi), abi, { file: 'f' })).toEqual(value)
  })

  it('puts bytes where C puts them', () => {
    const bytes = Buffer.from(sample.write(value, s.abi64be)).toString('hex')
    expect(bytes).toBe(
      '616200070000000000000000000010000000010000000000fffe000000000000c0000000000000000000000900000000',
    )
  })

  it('reads a field newer than the version as undefined', () => {
    expect(sample.parse(sample.write(value, s.abi64le), s.abi64le, { file: 'f' }, 1).late).toBeUndefined()
  })

  it('names file, offset and field of a number that cannot be a size', () => {
    const bytes = sample.write(value, s.abi64le)
    bytes[23] = 0xff
    const read = () => sample.parse(bytes, s.abi64le, { file: 'vmcore', base: 0x1000 })
    expect(read).toThrow(FormatError)
    expect(read).toThrow('vmcore: sample, wide at byte 0x1010')
  })

  it('copies raw bytes, also out of a Buffer', () => {
    const one = s.struct('one', { bytes: s.raw(2, '') })
    const buffer = Buffer.from('ab')
    const { bytes } = one.parse(buffer, s.abi64le, { file: 'f' })
    buffer.fill(0)
    expect([...bytes]).toEqual([0x61, 0x62])
  })

  it('refuses to read past the end', () => {
    const read = () => sample.parse(new Uint8Array(47), s.abi64le, { file: 'f' })
    expect(read).toThrow(FormatError)
  })

  it('keeps two’s complement values whole', () => {
    const one = s.struct('one', { base: s.bigword('') })
    const written = one.write({ base: -0x11e00000n }, s.abi64le)
    expect(one.parse(written, s.abi64le, { file: 'f' }).base).toBe(0xffffffffee200000n)
  })
})
