// The forms that kernels from 4.18 to 7.0 gave the table, built by the rules of scripts/kallsyms.c.

import { describe, expect, it } from 'vitest'
import { readKallsyms } from '../../../src/core/kernel/kallsyms.ts'
import type { Kernel } from '../../../src/core/kernel/kernel.ts'
import type { SymbolTable } from '../../../src/core/kernel/symbols.ts'
import { type MadeKallsyms, makeKallsyms } from '../../make/kallsyms.ts'
import { kernelBase } from '../../make/kernel-memory.ts'
import type { MadeSymbol } from '../../make/symbol-table.ts'

const longName = `_RNv${'x'.repeat(300)}_end`
const symbols: readonly MadeSymbol[] = [
  ['_text', 'T', kernelBase],
  ['_stext', 'T', kernelBase + 0x40n],
  ...Array.from(
    { length: 12_000 },
    (_, i): MadeSymbol => [`sched_fn_${i}`, 't', kernelBase + BigInt(0x100 + 16 * i)],
  ),
  ['last_data', 'D', kernelBase + 0x100_0000n],
]
const perCpu: readonly MadeSymbol[] = [
  ['fixed_percpu_data', 'A', 0n],
  ['cpu_number', 'A', 0x1_0000n],
  ...symbols,
]

const read = (made: Partial<MadeKallsyms> & Pick<MadeKallsyms, 'encoding' | 'order'>): SymbolTable =>
  readKallsyms(makeKallsyms({ symbols, hasKeys: true, ...made }) as Kernel)

const listOf = (table: SymbolTable): MadeSymbol[] =>
  Array.from(table, ({ name, type, address }) => [name, type, address])

describe.each([
  ['told by VMCOREINFO', true],
  ['searched for', false],
])('kallsyms, %s', (_, hasKeys) => {
  it.each([
    ['relative', '4.18'],
    ['absolute', '4.18'],
    ['absolute', '5.4'],
    ['relative', '5.4'],
    ['relative', '6.2'],
    ['relative', '6.4'],
    ['absolute', '6.4'],
    ['place', '7.0'],
  ] as const)('has addresses that are %s, in the order of Linux %s', (encoding, order) => {
    expect(listOf(read({ encoding, order, hasKeys }))).toEqual(symbols)
  })

  it.each(['5.4', '6.2', '6.4'] as const)(
    'keeps per-CPU offsets as they are, in the order of Linux %s',
    (order) => {
      const table = read({ symbols: perCpu, encoding: 'absolute per-CPU', order, hasKeys })
      expect(listOf(table)).toEqual(perCpu)
    },
  )

  it('has names of more than 127 tokens, which need a second length byte since Linux 6.1', () => {
    const long: readonly MadeSymbol[] = [...symbols, [longName, 'T', kernelBase + 0x100_0010n]]
    const table = read({ symbols: long, encoding: 'place', order: '7.0', longNames: true, hasKeys })
    expect(listOf(table)).toEqual(long)
    expect(table.address(longName)).toBe(kernelBase + 0x100_0010n)
  })

  it('has names of 128 to 255 tokens with one length byte, before Linux 6.1', () => {
    const name = 'y'.repeat(200)
    const long: readonly MadeSymbol[] = [...symbols, [name, 'T', kernelBase + 0x100_0010n]]
    expect(read({ symbols: long, encoding: 'relative', order: '5.4', hasKeys }).address(name)).toBe(
      kernelBase + 0x100_0010n,
    )
  })
})

describe('kallsyms that cannot be had', () => {
  it('says so when no table is found', () => {
    const { memory, vmcoreinfo } = makeKallsyms({
      symbols: symbols.slice(0, 100),
      encoding: 'place',
      order: '7.0',
      hasKeys: false,
    })
    expect(() => readKallsyms({ memory, vmcoreinfo } as Kernel)).toThrow('no kernel symbol table')
  })

  it('says so when the table does not agree with VMCOREINFO', () => {
    const moved = symbols.map(
      ([name, type, address]): MadeSymbol => [name, type, name === '_stext' ? address + 1n : address],
    )
    const { vmcoreinfo } = makeKallsyms({ symbols, encoding: 'place', order: '7.0', hasKeys: true })
    const { memory } = makeKallsyms({ symbols: moved, encoding: 'place', order: '7.0', hasKeys: true })
    expect(() => readKallsyms({ memory, vmcoreinfo } as Kernel)).toThrow('does not agree with VMCOREINFO')
  })

  it('says which page is missing', () => {
    const missing = [{ start: 0x11_0000, end: 0x11_1000 }]
    const kernel = makeKallsyms({ symbols, encoding: 'place', order: '7.0', hasKeys: true, missing })
    expect(() => readKallsyms(kernel as Kernel)).toThrow('page was left out of the dump')
  })
})
