import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpError } from '../../../src/core/errors.ts'
import { findMember } from '../../../src/formats/btf/members.ts'
import { Btf } from '../../../src/formats/btf/reader.ts'
import { info, makeBtf } from '../../make/btf.ts'

const origin = { file: 'vmlinux' }
const signedInt = (1 << 24) | 32

// struct task {
//   int pid;
//   union { struct task *next; unsigned flags : 3 (bit 61); };
//   const char_t comm[16];
// };  typedef char char_t;
const taskTypes = [
  /* 1 */ ['int', info(1), 4, signedInt],
  /* 2 */ ['char', info(1), 1, (1 << 24) | 8],
  /* 3 */ ['char_t', info(8), 2],
  /* 4 */ ['', info(10), 3],
  /* 5 */ ['', info(3), 0, 4, 1, 16],
  /* 6 */ ['task', info(4, 3, 1), 32, 'pid', 1, 0, '', 8, 64, 'comm', 5, 128],
  /* 7 */ ['', info(2), 6],
  /* 8 */ ['', info(5, 2, 1), 8, 'next', 7, 0, 'flags', 1, (3 << 24) | 61],
  /* 9 */ ['task', info(7), 0],
  /* 10 */ ['state', info(6, 2), 4, 'RUNNING', 0, 'DEAD', 0xffff_ffff],
  /* 11 */ ['big', info(19, 1), 8, 'BIG', 0x9abc_def0, 0x1234_5678],
  /* 12 */ ['counter', info(14), 1, 1],
  /* 13 */ ['.data..percpu', info(15, 1), 8, 12, 4, 4],
  /* 14 */ ['print', info(12, 1), 15],
  /* 15 */ ['', info(13, 1), 0, 'count', 1],
  /* 16 */ ['rcu', info(18), 6],
  /* 17 */ ['', info(2), 16],
  /* 18 */ ['deprecated', info(17), 6, 0xffff_ffff],
  /* 19 */ ['double', info(16), 8],
] as const
const task = makeBtf({ types: taskTypes })
const btf = new Btf(task.bytes, true, origin)

describe('BTF', () => {
  it('finds types by name and kind', () => {
    expect(btf.find('task', ['struct'])).toEqual([6])
    expect(btf.find('task', ['struct', 'forward'])).toEqual([6, 9])
    expect(btf.find('comm', ['struct'])).toEqual([])
    expect(btf.end).toBe(taskTypes.length + 1)
    expect([0, 8, 17, 99].map((id) => btf.kind(id))).toEqual(['void', 'union', 'pointer', 'void'])
  })

  it('gives sizes through typedefs, qualifiers and arrays', () => {
    expect([1, 3, 4, 5, 6, 7, 11, 12, 16, 19].map((id) => btf.size(id))).toEqual([
      4, 1, 1, 16, 32, 8, 8, 4, 32, 8,
    ])
    expect([0, 9, 14, 15, 99].map((id) => btf.size(id))).toEqual(Array(5).fill(undefined))
    expect([1, 2].map((id) => btf.isSigned(id))).toEqual([true, true])
  })

  it('finds members inside anonymous structs and unions, bit fields with their width', () => {
    expect(findMember(btf, 6, 'pid')).toMatchObject({ type: 1, bit: 0, bits: undefined })
    expect(findMember(btf, 6, 'next')).toMatchObject({ type: 7, bit: 64 })
    expect(findMember(btf, 6, 'flags')).toMatchObject({ bit: 64 + 61, bits: 3 })
    expect(findMember(btf, 16, 'comm')).toMatchObject({ type: 5, bit: 128 })
    expect(findMember(btf, 6, 'none')).toBeUndefined()
    expect(findMember(btf, 6, 'pid.none')).toBeUndefined()
  })

  it('knows a bit field of compilers that had no flag for it by its int', () => {
    const { bytes } = makeBtf({
      types: [
        ['unsigned int', info(1), 4, 5],
        ['unsigned int', info(1), 4, (2 << 16) | 3],
        ['unsigned int', info(1), 4, 32],
        ['old', info(4, 3), 8, 'five', 1, 0, 'three', 2, 8, 'whole', 3, 32],
      ],
    })
    const old = new Btf(bytes, true, origin)
    expect(findMember(old, 4, 'five')).toMatchObject({ bit: 0, bits: 5 })
    expect(findMember(old, 4, 'three')).toMatchObject({ bit: 10, bits: 3 })
    expect(findMember(old, 4, 'whole')).toMatchObject({ bit: 32, bits: undefined })
  })

  it('gives enumerators of 32 and 64 bits', () => {
    expect([...btf.enumerators(10)]).toEqual([
      { name: 'RUNNING', value: 0n },
      { name: 'DEAD', value: -1n },
    ])
    expect([...btf.enumerators(11)]).toEqual([{ name: 'BIG', value: 0x1234_5678_9abc_def0n }])
    expect([...btf.enumerators(6)]).toEqual([])
  })

  it('goes on in a module where the kernel ends, in types and names', () => {
    const written = makeBtf({
      base: task,
      types: [
        ['secret', info(4, 2), 24, 'key', 6, 0, 'own_name', 1, 128],
        ['comm', info(4, 1), 4, 'pid', 1, 0],
      ],
    })
    const module = new Btf(written.bytes, true, origin, btf)
    expect(module.start).toBe(btf.end)
    expect(module.find('secret', ['struct'])).toEqual([btf.end])
    expect(module.find('comm', ['struct'])).toEqual([btf.end + 1])
    expect(module.find('task', ['struct'])).toEqual([6])
    expect(findMember(module, btf.end, 'key.comm')).toMatchObject({ type: 5, bit: 128 })
    expect([...module.members(btf.end)].map(({ name }) => name)).toEqual(['key', 'own_name'])
  })

  it('is in the byte order of the dumped machine', () => {
    const { bytes } = makeBtf({ types: taskTypes, littleEndian: false })
    const big = new Btf(bytes, false, origin)
    expect(findMember(big, 6, 'comm')).toMatchObject({ type: 5, bit: 128 })
    expect(() => new Btf(bytes, true, origin)).toThrow('magic')
  })
})

describe('damaged BTF', () => {
  it('is refused at a type whose kind does not exist, and where it is cut', () => {
    const { bytes } = makeBtf({
      types: [
        ['int', info(1), 4, signedInt],
        ['new', info(20), 0],
      ],
    })
    expect(() => new Btf(bytes, true, origin)).toThrow('type 2, kind')
    for (const length of [0, 10, 23, 24, 60, task.bytes.length - 1]) {
      expect(() => new Btf(task.bytes.subarray(0, length), true, origin)).toThrow(DumpError)
    }
  })

  it('ends in types that refer to themselves', () => {
    const { bytes } = makeBtf({
      types: [
        ['loop', info(8), 1],
        ['', info(3), 0, 2, 1, 0xffff_ffff],
        ['deep', info(4, 2), 8, '', 3, 0, '', 3, 0],
      ],
    })
    const loop = new Btf(bytes, true, origin)
    expect(loop.size(1)).toBeUndefined()
    expect(loop.size(2)).toBeUndefined()
    expect(findMember(loop, 3, 'x')).toBeUndefined()
  })

  it('gives a DumpError or an answer, whatever byte is changed', () => {
    fc.assert(
      fc.property(fc.nat(task.bytes.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.from(task.bytes)
        bytes[at] = value
        try {
          const changed = new Btf(bytes, true, origin)
          for (let id = 0; id <= changed.end; id++) {
            changed.size(id)
            changed.name(id)
            findMember(changed, id, 'comm')
            for (const _ of changed.enumerators(id));
          }
          changed.find('task', ['struct'])
        } catch (error) {
          expect(error).toBeInstanceOf(DumpError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
