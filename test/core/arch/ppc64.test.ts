import { describe, expect, it } from 'vitest'
import type { TranslationInputs } from '../../../src/core/arch/index.ts'
import { ppc64, ppc64le } from '../../../src/core/arch/ppc64.ts'
import { KernelError } from '../../../src/core/errors.ts'
import { type FactList, makeFacts } from '../../make/facts.ts'
import { GuestMemory } from '../../make/guest-memory.ts'
import { hashGeometry, PageTableBuilder, radixGeometry } from '../../make/page-tables.ts'

const MiB = 1 << 20
const root = 16 * MiB
const linear = 0xc000000000000000n
const swapper_pg_dir = linear + BigInt(root)

const makeMemory = () => new GuestMemory([{ start: 0, end: 256 * MiB }])

const inputsOf = (memory: GuestMemory, pageSize: number, facts: FactList): TranslationInputs => ({
  facts: makeFacts({ ...facts, symbols: { swapper_pg_dir, ...facts.symbols } }),
  memory,
  pageSize,
  segments: [],
})

describe('ppc64le radix translation', () => {
  it.each([4096, 65536] as const)('walks big-endian tables of %i-byte pages', (pageSize) => {
    const memory = makeMemory()
    const builder = new PageTableBuilder(memory, radixGeometry(pageSize), root)
    builder.map(linear + BigInt(root), root, 21)
    builder.map(0xc008000000120000n, 0x340000, pageSize === 4096 ? 12 : 16)
    builder.map(0xc00c000000200000n, 0x6000000, 21)
    const tables = ppc64le.openTranslation(inputsOf(memory, pageSize, { numbers: { RADIX_MMU: 1 } }))
    expect(tables.map(0xc008000000120abcn)).toEqual({
      start: 0xc008000000120000n,
      end: 0xc008000000120000n + BigInt(pageSize),
      physical: 0x340000,
    })
    expect(tables.map(0xc00c0000003fffffn)).toMatchObject({ start: 0xc00c000000200000n, physical: 0x6000000 })
    expect(tables.map(0xc008000000110000n)).toBeUndefined()
    expect(tables.map(0x120000n)).toBeUndefined()
    expect(tables.map(linear + 0x1234567n)).toMatchObject({ start: linear, physical: 0 })
  })

  it('asks the CPU features when the kernel does not export RADIX_MMU', () => {
    for (const [features, mapped] of [
      [0x3c007041, true],
      [0x3c007001, false],
    ] as const) {
      const memory = makeMemory()
      memory.writeU64(0x10000, linear + 0x20000n)
      memory.writeU32(0x20000 + 32, features)
      const builder = new PageTableBuilder(memory, radixGeometry(65536), root)
      builder.map(0xc008000000120000n, 0x340000, 16)
      const tables = ppc64le.openTranslation(
        inputsOf(memory, 65536, {
          symbols: { cur_cpu_spec: linear + 0x10000n },
          offsets: { 'cpu_spec.mmu_features': 32 },
        }),
      )
      expect(tables.map(0xc008000000120000n)?.physical === 0x340000).toBe(mapped)
    }
  })

  it('ignores entries that are not valid', () => {
    const memory = makeMemory()
    const builder = new PageTableBuilder(memory, radixGeometry(65536), root)
    memory.writeU64(builder.entryAddress(0xc008000000120000n, 16), 0x4000000000340000n, false)
    const tables = ppc64le.openTranslation(inputsOf(memory, 65536, { numbers: { RADIX_MMU: 1 } }))
    expect(tables.map(0xc008000000120000n)).toBeUndefined()
  })

  it('refuses page sizes it has no table for', () => {
    expect(() =>
      ppc64le.openTranslation(inputsOf(makeMemory(), 16384, { numbers: { RADIX_MMU: 1 } })),
    ).toThrow(KernelError)
  })
})

describe('ppc64 hash translation with 4K pages', () => {
  it.each([
    ['vmalloc', 0xc008000000123000n],
    ['vmalloc of Linux 4.18 and 4.19', 0xd000080000123000n],
  ])('walks 9, 7, 9 and 9 bits to %s', (_, address) => {
    const memory = makeMemory()
    // By hand: a table for each level, the entry's index from the bits of the address.
    const tableAt = [root, 0x2000000, 0x2010000, 0x2020000]
    for (const [depth, [shift, bits]] of [
      [37, 9],
      [28, 9],
      [21, 7],
      [12, 9],
    ].entries()) {
      const index = Number(BigInt.asUintN(bits as number, address >> BigInt(shift as number)))
      const next = tableAt[depth + 1]
      const entry = next === undefined ? (3n << 62n) | 0x345000n | 0x105n : BigInt(next)
      memory.writeU64((tableAt[depth] as number) + 8 * index, entry, false)
    }
    const tables = ppc64.openTranslation(inputsOf(memory, 4096, { numbers: { RADIX_MMU: 0 } }))
    expect(tables.map(address + 0xabcn)).toEqual({ start: address, end: address + 4096n, physical: 0x345000 })
    expect(tables.map(address + 0x1000n)).toBeUndefined()
  })
})

describe('ppc64le hash translation', () => {
  const hashFacts: FactList = {
    numbers: { RADIX_MMU: 0 },
    symbols: {
      vmemmap_list: linear + 0x10000n,
      mmu_vmemmap_psize: linear + 0x10010n,
      mmu_psize_defs: linear + 0x11000n,
    },
    sizes: { vmemmap_backing: 24, mmu_psize_def: 96 },
    offsets: {
      'vmemmap_backing.list': 0,
      'vmemmap_backing.phys': 8,
      'vmemmap_backing.virt_addr': 16,
      'mmu_psize_def.shift': 4,
    },
  }

  function makeHashMachine(next: bigint, littleEndian = true) {
    const memory = makeMemory()
    const builder = new PageTableBuilder(memory, hashGeometry, root)
    builder.map(0xc008000000120000n, 0x340000, 16)
    // Two backings of 16 MiB; psize 5 of mmu_psize_defs has shift 24.
    memory.writeU64(0x10000, linear + 0x12000n, littleEndian)
    memory.writeU32(0x10010, 5, littleEndian)
    memory.writeU32(0x11000 + 5 * 96 + 4, 24, littleEndian)
    const backings = [
      [linear + 0x12100n, 0x4000000n, 0xc00c000001000000n],
      [next, 0x8000000n, 0xc00c000000000000n],
    ]
    for (const [i, [list = 0n, phys = 0n, virt = 0n]] of backings.entries()) {
      memory.writeU64(0x12000 + 0x100 * i, list, littleEndian)
      memory.writeU64(0x12008 + 0x100 * i, phys, littleEndian)
      memory.writeU64(0x12010 + 0x100 * i, virt, littleEndian)
    }
    const arch = littleEndian ? ppc64le : ppc64
    return { memory, open: () => arch.openTranslation(inputsOf(memory, 65536, hashFacts)) }
  }

  it.each([
    ['ends', 0n, true],
    ['returns to its head', linear + 0x12000n, true],
    ['is big-endian', 0n, false],
  ])('finds vmemmap in the list of backings, which %s', (_, next, littleEndian) => {
    const tables = makeHashMachine(next, littleEndian).open()
    expect(tables.map(0xc00c000000000040n)).toMatchObject({ start: 0xc00c000000000000n, physical: 0x8000000 })
    expect(tables.map(0xc00c000001ffffffn)).toMatchObject({ end: 0xc00c000002000000n, physical: 0x4000000 })
    expect(tables.map(0xc00c000002000000n)).toBeUndefined()
    expect(tables.map(0xc008000000120001n)).toMatchObject({ physical: 0x340000 })
  })

  it('gives up on a list that runs in a circle elsewhere', () => {
    expect(makeHashMachine(linear + 0x12100n).open).toThrow(/does not end/)
  })

  it('gives up on an absurd page size of vmemmap', () => {
    const { memory, open } = makeHashMachine(0n)
    memory.writeU32(0x11000 + 5 * 96 + 4, 63)
    expect(open).toThrow(KernelError)
  })
})

describe('ppc64le registers', () => {
  it('follow pt_regs', () => {
    const { names } = ppc64le.registers
    expect([
      names.indexOf('r31'),
      names.indexOf('nip'),
      names.indexOf('link'),
      names.indexOf('result'),
    ]).toEqual([31, 32, 36, 43])
  })
})
