import { describe, expect, it } from 'vitest'
import { FaultError, FormatError, TargetError } from '../../src/core/errors.ts'
import { renderBug, renderError, renderErrorJson } from '../../src/ui/error-text.ts'

describe('errors as text', () => {
  it('say what, where, what was expected and found, and what to do', () => {
    const error = new FormatError({
      file: 'vmcore.1',
      field: 'kdump sub-header, noteOffset',
      offset: 0x1030,
      expected: 'an offset inside the file (size 0x3f2000)',
      found: '0x7fffffffffff',
      hint: "the copy may be cut short; compare its size with the crashed host's",
    })
    expect(renderError(error)).toBe(
      [
        'error: vmcore.1: kdump sub-header, noteOffset at byte 0x1030',
        '  expected  an offset inside the file (size 0x3f2000)',
        '  found     0x7fffffffffff',
        "  hint      the copy may be cut short; compare its size with the crashed host's",
      ].join('\n'),
    )
  })

  it('say what lay behind them when asked to, each once', () => {
    const disk = new Error('EIO: i/o error, read')
    const page = new FormatError({
      file: 'vmcore',
      field: 'page descriptor',
      found: disk.message,
      cause: disk,
    })
    const error = new FaultError('physical', 0x10000, 65536, 'truncated', { cause: page })
    const message = 'physical memory at 0x10000, 65536 bytes: the dump is cut short or damaged there'
    expect(renderError(error)).toBe(`error: ${message}`)
    expect(renderError(error, { withCauses: true })).toBe(
      `error: ${message}\n  because   vmcore: page descriptor\n  because   EIO: i/o error, read`,
    )
    expect(renderError(page, { withCauses: true })).toBe(
      'error: vmcore: page descriptor\n  found     EIO: i/o error, read',
    )
  })

  it('give a physical address as JSON in the form of all others', () => {
    const error = new FaultError('physical', 0x10000, 8, 'hole')
    expect(JSON.parse(renderErrorJson(error))).toMatchObject({ error: { address: '0x10000' } })
  })

  it('never let a control character through', () => {
    const text = renderError(new TargetError('evil\x1b[2J\x07name', 'no\x9bway', { hint: 'a\rb' }))
    expect(text).toBe('error: evil\\x1b[2J\\x07name: no\\x9bway\n  hint      a\\x0db')
  })

  it('carry all their fields as JSON', () => {
    expect(
      JSON.parse(renderErrorJson(new FaultError('virtual', 0xc000000000000000n, 8, 'unmapped'))),
    ).toEqual({
      error: {
        code: 'FAULT',
        exitCode: 3,
        message: 'virtual memory at 0xc000000000000000, 8 bytes: no page table entry',
        space: 'virtual',
        address: '0xc000000000000000',
        length: 8,
        reason: 'unmapped',
      },
    })
  })

  it('ask to report a bug, with the stack', () => {
    expect(renderBug(new TypeError('x is not a function'))).toContain(
      'TypeError: x is not a function\n    at ',
    )
  })
})
