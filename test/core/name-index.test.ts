import { describe, expect, it } from 'vitest'
import { maxNameSize, NameIndex, readName } from '../../src/core/name-index.ts'

const pool = Buffer.from('\0one\0two\0\xe9t\xe9\0', 'latin1')

describe('an index of names', () => {
  it('finds every item of a name in order, and only whole names', () => {
    const index = new NameIndex(pool, Uint32Array.of(1, 5, 1, 0, 9))
    expect(index.find('one')).toEqual([0, 2])
    expect(index.find('two')).toEqual([1])
    expect(index.find('\xe9t\xe9')).toEqual([4])
    expect(index.find('tw')).toEqual([])
    expect(index.find('ne')).toEqual([])
    expect(index.find('')).toEqual([])
    expect(index.name(4)).toBe('\xe9t\xe9')
  })

  it('finds names among as many as a kernel has', () => {
    const names = Array.from({ length: 100_000 }, (_, i) => `symbol_${i}`)
    const starts = new Uint32Array(names.length)
    let end = 0
    names.forEach((name, i) => {
      starts[i] = end
      end += name.length + 1
    })
    const index = new NameIndex(Buffer.from(`${names.join('\0')}\0`), starts)
    for (let i = 0; i < names.length; i += 997) expect(index.find(`symbol_${i}`)).toEqual([i])
  })

  it('cuts a name that does not end', () => {
    const endless = Buffer.alloc(2 ** 20, 'x')
    expect(readName(endless, 0)).toHaveLength(maxNameSize)
    expect(readName(endless, endless.length - 3)).toBe('xxx')
    expect(readName(endless, endless.length + 3)).toBe('')
    expect(new NameIndex(endless, new Uint32Array(1000)).find('x')).toEqual([])
  })
})
