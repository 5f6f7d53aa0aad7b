import { describe, expect, it } from 'vitest'
import { makeLevels, type PageTableFormat, PageTables } from '../../../src/core/arch/page-table.ts'
import { FaultError, KernelError } from '../../../src/core/errors.ts'
import { GuestMemory } from '../../make/guest-memory.ts'

// Two levels of 16 entries over 4 KiB pages: bit 0 present, bit 1 leaf.
const format: PageTableFormat = {
  levels: makeLevels(12, [
    { name: 'pte', bits: 4, leaf: true },
    { name: 'pgd', bits: 4, leaf: true },
  ]),
  littleEndian: true,
  canonical: (address) => (address < 1n << 32n ? address & 0xfffffn : undefined),
  decode(entry) {
    if ((entry & 1n) === 0n) return undefined
    return { kind: (entry & 2n) === 0n ? 'table' : 'leaf', address: entry & ~0xfffn }
  },
}

function makeTables() {
  const memory = new GuestMemory([{ start: 0, end: 0x100000 }])
  memory.writeU64(0x1000 + 8 * 2, 0x2001n)
  memory.writeU64(0x2000 + 8 * 5, 0x7003n)
  memory.writeU64(0x1000 + 8 * 3, 0x50003n)
  return { memory, tables: new PageTables(memory, format, 0x1000n) }
}

describe('PageTables', () => {
  it('lays out levels from the page size up', () => {
    expect(format.levels.map((level) => [level.name, level.shift])).toEqual([
      ['pgd', 16],
      ['pte', 12],
    ])
  })

  it('says which stretch a leaf maps', () => {
    const { tables } = makeTables()
    expect(tables.walk(0x25abcn)).toEqual({ start: 0x25000n, end: 0x26000n, physical: 0x7000 })
    expect(tables.walk(0x3ffffn)).toEqual({ start: 0x30000n, end: 0x40000n, physical: 0x50000 })
  })

  it('knows nothing about what no entry maps', () => {
    const { tables } = makeTables()
    expect(tables.walk(0x24000n)).toBeUndefined()
    expect(tables.walk(0x90000n)).toBeUndefined()
    expect(tables.walk(1n << 40n)).toBeUndefined()
  })

  it('gives the stretch in terms of the address asked for when that carries a tag', () => {
    const { tables } = makeTables()
    expect(tables.walk(0x12325abcn)).toEqual({ start: 0x12325000n, end: 0x12326000n, physical: 0x7000 })
  })

  it('ends after one step per level when tables point at each other', () => {
    const { memory, tables } = makeTables()
    for (let i = 0; i < 16; i++) memory.writeU64(0x1000 + 8 * i, 0x1001n)
    const before = memory.reads
    expect(tables.walk(0n)).toBeUndefined()
    expect(memory.reads - before).toBe(2)
  })

  it('reads a table once while going through memory in order', () => {
    const { memory, tables } = makeTables()
    for (let i = 0; i < 16; i++) memory.writeU64(0x2000 + 8 * i, 0x7003n)
    for (let page = 0; page < 16; page++) tables.walk(0x20000n + BigInt(page << 12))
    expect(memory.reads).toBe(2)
  })

  it('says which table is missing, as a fault of the virtual address', () => {
    const { memory, tables } = makeTables()
    memory.remove(0x2000, 0x3000)
    expect(() => tables.walk(0x25000n)).toThrow(
      expect.objectContaining({ space: 'virtual', address: 0x25000n, reason: 'excluded' }),
    )
    expect(() => tables.walk(0x25000n)).toThrow(FaultError)

    memory.writeU64(0x1000 + 8 * 4, 0xfff00001n)
    const fresh = new PageTables(memory, format, 0x1000n)
    expect(() => fresh.walk(0x40000n)).toThrow(expect.objectContaining({ reason: 'hole' }))
  })

  it.each([-8n, 0x1001n, 1n << 60n])('refuses a top table at %s', (root) => {
    const { memory } = makeTables()
    expect(() => new PageTables(memory, format, root)).toThrow(KernelError)
  })

  it('answers from a window without reading tables', () => {
    const { memory, tables } = makeTables()
    const window = { start: 0x80000n, end: 0x90000n, physical: 0x10000 }
    tables.addWindow(window)
    expect(tables.map(0x81234n)).toBe(window)
    expect(memory.reads).toBe(0)
    expect(tables.walk(0x81234n)).toBeUndefined()
  })

  it('drops a window that the tables contradict and keeps one that they cannot judge', () => {
    const wrong = { start: 0x20000n, end: 0x30000n, physical: 0x10000 }
    const contradicted = makeTables()
    contradicted.tables.addCheckedWindow(wrong, [0x15000])
    expect(contradicted.tables.map(0x25000n)?.physical).toBe(0x7000)

    const unreadable = makeTables()
    unreadable.memory.remove(0x2000, 0x3000)
    unreadable.tables.addCheckedWindow(wrong, [0x15000])
    expect(unreadable.tables.map(0x25000n)).toBe(wrong)
  })
})
