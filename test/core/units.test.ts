import { describe, expect, it } from 'vitest'
import { renderTable } from '../../src/core/table.ts'
import { renderDuration, renderPlural, renderSize } from '../../src/core/units.ts'

describe('units', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1536, '1.5 KiB'],
    [335610288, '320 MiB'],
    [1 << 30, '1 GiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(renderSize(bytes)).toBe(text)
  })

  it.each([
    [0.25, '0.3 s'],
    [59.6, '60 s'],
    [125, '2 min 5 s'],
    [7325, '2 h 2 min'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(renderDuration(seconds)).toBe(text)
  })

  it('knows one from many', () => {
    expect([renderPlural(1, 'page'), renderPlural(15359, 'page')]).toEqual(['1 page', '15,359 pages'])
  })
})

describe('table', () => {
  it('aligns columns and trims line ends', () => {
    const columns = [{ title: 'KIND' }, { title: 'PAGES', align: 'right' as const }]
    expect(
      renderTable(columns, [
        ['free', '13796'],
        ['zero', '571'],
      ]),
    ).toBe(['KIND  PAGES', 'free  13796', 'zero    571'].join('\n'))
  })
})
