import { describe, expect, it } from 'vitest'
import { type MadeSymbol, makeSymbolTable } from '../../make/symbol-table.ts'

const base = 0xffff_ffff_8100_0000n
const nameAt = (symbols: readonly MadeSymbol[], address: bigint): string | undefined =>
  makeSymbolTable(symbols).nearest(address)?.symbol.name

describe('a symbol table', () => {
  it('gives all symbols of a name, and the address of the first', () => {
    const table = makeSymbolTable([
      ['init', 't', base],
      ['other', 'T', base + 16n],
      ['init', 't', base + 32n],
    ])
    expect(table.find('init').map(({ address }) => address)).toEqual([base, base + 32n])
    expect(table.address('init')).toBe(base)
    expect(table.address('none')).toBeUndefined()
    expect([...table].map(({ name }) => name)).toEqual(['init', 'other', 'init'])
  })

  it('gives symbol, offset and size for an address inside a function', () => {
    const table = makeSymbolTable(
      [
        ['first', 'T', base],
        ['second', 't', base + 0x40n],
      ],
      'mod',
    )
    expect(table.nearest(base + 0x3fn)).toEqual({
      symbol: { name: 'first', type: 'T', address: base, module: 'mod' },
      offset: 0x3f,
      size: 0x40,
    })
    expect(table.nearest(base + 0x40n)?.symbol.name).toBe('second')
    expect(table.nearest(base - 1n)).toBeUndefined()
  })

  it('does not need its symbols to be sorted', () => {
    const symbols: MadeSymbol[] = [
      ['c', 'T', base + 0x80n],
      ['a', 'T', base],
      ['b', 'T', base + 0x40n],
    ]
    expect([0x10n, 0x50n, 0x90n].map((at) => nameAt(symbols, base + at))).toEqual(['a', 'b', 'c'])
  })

  it('prefers the global name at an address, then the one without a suffix, then the first', () => {
    const end: MadeSymbol = ['end', 'T', base + 64n]
    const at = (...symbols: MadeSymbol[]) => nameAt([...symbols, end], base + 1n)
    expect(at(['local', 't', base], ['global', 'T', base])).toBe('global')
    expect(at(['f.isra.0', 't', base], ['f', 't', base])).toBe('f')
    expect(at(['one', 'T', base], ['two', 'T', base])).toBe('one')
  })

  it('takes no address for a symbol that is a number, as per-CPU offsets of x86_64 up to 6.14', () => {
    const symbols: MadeSymbol[] = [
      ['__per_cpu_start', 'A', 0n],
      ['_text', 'T', base],
      ['size_of_it', 'a', base + 8n],
      ['next', 'T', base + 64n],
    ]
    expect(nameAt(symbols, 0x530945n)).toBeUndefined()
    expect(nameAt(symbols, base + 9n)).toBe('_text')
  })

  it('does not give data far behind a symbol to it', () => {
    const symbols: MadeSymbol[] = [
      ['table', 'd', base],
      ['last', 'd', base + 0x100_0000n],
    ]
    expect(nameAt(symbols, base + 0xffffn)).toBe('table')
    expect(nameAt(symbols, base + 0x10000n)).toBeUndefined()
    expect(nameAt(symbols, base + 0x100_ffffn)).toBe('last')
    expect(nameAt(symbols, base + 0x101_0000n)).toBeUndefined()
  })
})
