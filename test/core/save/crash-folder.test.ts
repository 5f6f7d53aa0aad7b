import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crashFolder } from '../../../src/core/save/crash-folder.ts'

describe('the name of a crash directory', () => {
  it('is host, date and time in UTC', () => {
    // date -u -d @1795447231: Mon Nov 23 15:20:31 UTC 2026
    expect(crashFolder('fixture', 1_795_447_231)).toBe('fixture-2026-11-23-15:20:31')
  })

  it.each([
    ['../../etc', '_.._etc-'],
    ['..', 'unknown-'],
    ['.hidden', 'hidden-'],
    ['-rf', 'rf-'],
    ['a/b\0c\x1b[2Jd', 'a_b_c__2Jd-'],
    ['', 'unknown-'],
    [undefined, 'unknown-'],
  ])('makes a safe name of the host %j', (host, start) => {
    expect(crashFolder(host, 0)).toBe(`${start}1970-01-01-00:00:00`)
  })

  it('has a name for a time that no calendar has', () => {
    expect(crashFolder('h', 2 ** 53 - 1)).toBe('h-9007199254740991')
    expect(crashFolder('h', 999_999_999_999)).toBe('h-999999999999')
  })

  it('is one visible path component whatever the host calls itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (host) => {
        expect(crashFolder(host, 0)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}-1970-01-01-00:00:00$/)
      }),
    )
  })
})
