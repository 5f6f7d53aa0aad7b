// What makedumpfile.conf(5) says of its example, byte by byte: the addresses are those of its builder.

import { describe, expect, it } from 'vitest'
import { type ErasedParts, findErasedParts } from '../../../src/core/filter/erase.ts'
import { parseEraseConfig } from '../../../src/core/filter/erase-config.ts'
import { at, declarations, makeSecretKernel, type SecretKernel } from '../../make/secret-kernel.ts'

const erase = (text: string, made: SecretKernel = makeSecretKernel()): ErasedParts =>
  findErasedParts(made.kernel, made, parseEraseConfig(`${declarations}${text}`, 'my.conf'))

/** [start, size] of each part. */
const partsOf = (text: string): (readonly [number, number])[] =>
  erase(text).parts.flatMap(({ ranges }) => ranges.map(({ start, end }) => [start, end - start] as const))

const [first, second, third] = at.items

describe('erase', () => {
  it.each([
    ['a whole variable', 'mystruct1', [[at.mystruct1, 24]]],
    ['a string, up to its NUL', 'mystruct1.name', [[at.name, 11]]],
    ['as many bytes as are given', 'mystruct1.name size 5', [[at.name, 5]]],
    ['what a void pointer points to, with a size', 'mystruct1.addr size 1K', [[at.data, 1024]]],
    ['as many bytes as a variable says', 'mystruct1.addr size mystruct1.addr_size', [[at.data, 77]]],
    ['the pointer alone', 'mystruct1.addr nullify', [[at.mystruct1 + 8, 8]]],
    ['through pointers to pointers', 'mystruct2.name', [[at.name, 11]]],
    ['the struct that a pointer points to', 'chain', [[first, 144]]],
    ['a member of it', 'chain.private', [[first + 24, 100]]],
    ['an array of pointers itself', 'pointers', [[at.pointers, 32]]],
    ['an integer', 'mystruct1.addr_size', [[at.mystruct1 + 16, 4]]],
    ['a variable of unknown type, with a size', 'counter size 8', [[at.counter, 8]]],
    ['a pointer of unknown type, nullified', 'counter nullify', [[at.counter, 8]]],
    ['nothing when a pointer is NULL', 'chain.next.next.next', []],
  ])('erases %s', (_, text, parts) => {
    expect(partsOf(`erase ${text}`)).toEqual(parts)
  })

  it.each([
    ['s1_list_head.next within s1:list', 'list'],
    ['s1_list_head within s1:list', 'list head'],
    ['chain via next', 'chain'],
    ['chain', 'chain by its member next'],
    ['pointers', 'array of pointers, without those that are NULL'],
  ])('goes through %s, a %s', (list) => {
    expect(partsOf(`for x in ${list}\n erase x.private\n erase x.key size x.key_size\n endfor`)).toEqual([
      [first + 24, 100],
      [at.keys[0], 16],
      // The second struct lies on two pages that follow each other.
      [second + 24, 100],
      [at.keys[1], 32],
      [third + 24, 100],
      [at.keys[2], 48],
    ])
  })

  it('takes a variable of unknown type for the head of a list when it is used as one', () => {
    const made = makeSecretKernel()
    const config = parseEraseConfig('for x in s1_list_head within s1\nerase x.private\nendfor', 'my.conf')
    expect(findErasedParts(made.kernel, made, config).parts).toHaveLength(3)
  })

  it('ends a chain where it began', () => {
    const made = makeSecretKernel([], (bytes) => bytes.copy(bytes, third, at.chain, at.chain + 8))
    expect(erase('for x in chain via next\nerase x.private\nendfor', made).parts).toHaveLength(3)
  })
})

describe('a mistake', () => {
  it.each([
    ['erase nothing', 'the kernel has no symbol nothing'],
    ['erase twice size 1', 'twice: the kernel has 2 symbols of that name'],
    ['erase counter', 'counter: kernels describe types, but not which of them counter has'],
    ['erase counter size 100', 'counter has 8 bytes, not 100'],
    ['erase mystruct1.nonsense', 'mystruct1.nonsense: s2 has no member nonsense'],
    ['erase mystruct1.flag', 'mystruct1.flag: flag is a bit field'],
    ['erase mystruct1.addr', 'mystruct1.addr: its type says no size'],
    ['erase mystruct1.addr_size nullify', 'mystruct1.addr_size is no pointer'],
    ['erase mystruct1.addr size mystruct1', 'mystruct1 is no integer'],
    ['erase pointers.private', 'pointers.private: an array has no members'],
    ['for x in s1_list_head\nerase x\nendfor', 's1_list_head is the head of a list'],
    ['for x in chain within s1:list\nerase x\nendfor', 'chain is no list_head'],
    ['for x in s1_list_head within s1:private\nerase x\nendfor', 's1.private is no list_head'],
    [
      'for x in s1_list_head within s3:list\nerase x\nendfor',
      'the kernel has no struct s3 with a member list',
    ],
    ['declare struct s9 counter\nerase counter', 'counter: the kernel has no type struct s9'],
  ])('is told with its line: %j', (text, message) => {
    const lines = declarations.split('\n').length
    const inner = text.startsWith('declare') ? 1 : 0
    expect(() => erase(text)).toThrow(`my.conf, line ${lines + inner}: ${message}`)
    expect(() => erase(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })
})

describe('a damaged dump', () => {
  it('is searched as far as it goes, and the rest is told', () => {
    const made = makeSecretKernel([{ start: 0x2000, end: 0x3000 }])
    const { parts, warnings } = erase(
      'for x in chain via next\nerase x.key size x.key_size\nendfor\nerase mystruct1.name',
      made,
    )
    expect(parts.map(({ expression }) => expression)).toEqual(['x.key', 'x.key', 'mystruct1.name'])
    expect(warnings).toEqual([
      {
        code: 'NOT_ERASED',
        message: expect.stringMatching(/^my.conf, line 6: not erased: .*left out of the dump$/),
      },
    ])
  })

  it('cannot make a list endless', () => {
    // The last element leads back to the first, not to the head.
    const made = makeSecretKernel([], (bytes) => bytes.copy(bytes, third + 8, at.list, at.list + 8))
    const { warnings } = erase('for x in s1_list_head within s1:list\nendfor', made)
    expect(warnings).toEqual([
      { code: 'NOT_ERASED', message: expect.stringMatching(/the list at 0x[0-9a-f]+ runs in a circle$/) },
    ])
  })

  it('cannot make a chain endless', () => {
    const made = makeSecretKernel([], (bytes) => bytes.copy(bytes, third, first, first + 8))
    const { warnings } = erase('for x in chain via next\nendfor', made)
    expect(warnings).toMatchObject([
      { message: expect.stringContaining('the chain of chain runs in a circle') },
    ])
  })

  it('cannot have more erased than any kernel has', () => {
    const made = makeSecretKernel([], (bytes) => bytes.writeBigUInt64LE(1n << 60n, first + 136))
    const { parts, warnings } = erase('erase chain.key size chain.key_size', made)
    expect(parts).toEqual([])
    expect(warnings).toMatchObject([
      { code: 'NOT_ERASED', message: expect.stringContaining('chain.key would have') },
    ])
  })

  it('is not erased where nothing is mapped', () => {
    const made = makeSecretKernel([], (bytes) => bytes.writeBigUInt64LE(0x1000n, at.mystruct1 + 8))
    const { warnings } = erase('erase mystruct1.addr size 10', made)
    expect(warnings).toMatchObject([
      { message: expect.stringContaining('10 of 10 bytes of mystruct1.addr are not mapped') },
    ])
  })
})
