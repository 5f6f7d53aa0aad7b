import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { printable, printableJson, printableLine } from '../../src/core/printable.ts'

describe('printable', () => {
  it('escapes terminal sequences, C1 controls and direction overrides', () => {
    expect(printable('\x1b]0;pwned\x07 \x9b31m \u202eevil')).toBe('\\x1b]0;pwned\\x07 \\x9b31m \\u{202e}evil')
  })

  it('keeps lines, tabs and other languages', () => {
    expect(printable('a\tb\nä 漢')).toBe('a\tb\nä 漢')
    expect(printableLine('a\tb\nc')).toBe('a\\tb\\nc')
  })

  it('leaves no control character in any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printableLine(text)).not.toMatch(/\p{Cc}|\u2028|\u202e/u)
      }),
      { verbose: true },
    )
  })
})

describe('printableJson', () => {
  it('means the same as the value and holds no control character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson({ text })
        expect(json.replaceAll('\n', '')).not.toMatch(/\p{Cc}|\u2028|\u202e/u)
        expect(JSON.parse(json)).toEqual({ text })
      }),
      { verbose: true },
    )
  })

  it('writes a bigint as a hexadecimal string', () => {
    expect(JSON.parse(printableJson([0xffff_ffff_8000_0000n]))).toEqual(['0xffffffff80000000'])
  })
})
