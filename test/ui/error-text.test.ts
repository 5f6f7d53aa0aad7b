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
