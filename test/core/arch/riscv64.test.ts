import { describe, expect, it } from 'vitest'
import type { TranslationInputs } from '../../../src/core/arch/index.ts'
import { riscv64 } from '../../../src/core/arch/riscv64.ts'
import { KernelError } from '../../../src/core/errors.ts'
import { type FactList, makeFacts } from '../../make/facts.ts'
import { GuestMemory } from '../../make/guest-memory.ts'
import { PageTableBuilder, riscvGeometry } from '../../make/page-tables.ts'

const MiB = 1 << 20
const ram = 0x80000000
const root = ram + 16 * MiB
const imageOffset = 0xfffffffeffe00000n
const vmalloc = { 39: 0xffffffc600000000n, 48: 0xffff8f8000000000n, 57: 0xff20000000000000n } as const
const linear = { 39: 0xffffffd600000000n, 48: 0xffffaf8000000000n, 57: 0xff60000000000000n } as const

function makeMachine(bits: 39 | 48 | 57, facts: FactList = {}) {
  const memory = new GuestMemory([{ start: ram, end: ram + 256 * MiB }])
  const builder = new PageTableBuilder(memory, riscvGeometry(((bits - 12) / 9) as 3 | 4 | 5), root)
  const open = () => {
    const inputs: TranslationInputs = {
      facts: makeFacts({
        ...facts,
        symbols: {
          swapper_pg_dir: BigInt(root) + imageOffset,
          _stext: BigInt(ram + 2 * MiB) + imageOffset,
          ...facts.symbols,
        },
        numbers: {
          VA_BITS: bits,
          va_kernel_pa_offset: imageOffset,
          PAGE_OFFSET: linear[bits],
          phys_ram_base: ram,
          ...facts.numbers,
        },
      }),
      memory,
      pageSize: 4096,
      segments: [],
    }
    return riscv64.openTranslation(inputs)
  }
  return { memory, builder, open }
}

describe('riscv64 translation', () => {
  it.each([39, 48, 57] as const)('walks the tables of Sv%i', (bits) => {
    const { builder, open } = makeMachine(bits)
    const base = vmalloc[bits]
    builder.map(base + 0x5000n, ram + 0x340000, 12)
    builder.map(base + 0x200000n, ram + 0x600000, 21)
    builder.map(base + 0x40000000n, 0x140000000, 30)
    const tables = open()
    expect(tables.map(base + 0x5abcn)).toEqual({
      start: base + 0x5000n,
      end: base + 0x6000n,
      physical: ram + 0x340000,
    })
    expect(tables.map(base + 0x3fffffn)).toMatchObject({ start: base + 0x200000n, physical: ram + 0x600000 })
    expect(tables.map(base + 0x7fffffffn)).toMatchObject({ physical: 0x140000000 })
    expect(tables.map(base + 0x6000n)).toBeUndefined()
    // Neither half of the address space, which ends at bit `bits - 1`.
    expect(tables.map(1n << BigInt(bits))).toBeUndefined()
  })

  it('takes the page number from bits 53 to 10, whatever the memory type above', () => {
    const { memory, builder, open } = makeMachine(48)
    const at = builder.entryAddress(vmalloc[48], 12)
    memory.writeU64(at, (0x2n << 61n) | (0x80345n << 10n) | 0xe7n)
    expect(open().map(vmalloc[48])?.physical).toBe(0x80345000)
  })

  it('takes one of 16 equal entries for 64 KiB (Svnapot)', () => {
    const { memory, builder, open } = makeMachine(48)
    // Page numbers 0x80340 to 0x8034f: the lowest four bits say 8.
    for (let i = 0; i < 16; i++) {
      const at = builder.entryAddress(vmalloc[48] + BigInt(i << 12), 12)
      memory.writeU64(at, (1n << 63n) | (0x80348n << 10n) | 0xe7n)
    }
    expect(open().map(vmalloc[48] + 0x5123n)).toEqual({
      start: vmalloc[48],
      end: vmalloc[48] + 0x10000n,
      physical: 0x80340000,
    })
  })

  it('maps nothing by entries that are not valid, or that lead on from the last level', () => {
    const { memory, builder, open } = makeMachine(48)
    memory.writeU64(builder.entryAddress(vmalloc[48], 12), (0x80345n << 10n) | 0xe6n)
    memory.writeU64(builder.entryAddress(vmalloc[48] + 0x1000n, 12), (0x80345n << 10n) | 1n)
    const tables = open()
    expect(tables.map(vmalloc[48])).toBeUndefined()
    expect(tables.map(vmalloc[48] + 0x1000n)).toBeUndefined()
  })

  it('translates image and linear map by what the kernel says, without reading tables', () => {
    const { memory, builder, open } = makeMachine(48)
    builder.map(BigInt(root) + imageOffset, root, 21)
    builder.map(linear[48] + BigInt(root - ram), root, 21)
    const tables = open()
    const before = memory.reads
    // From a booted Linux 7.2: _stext ffffffff80002000 at 0x80202000.
    const mapping = tables.map(0xffffffff80002000n)
    expect(mapping && mapping.physical + Number(0xffffffff80002000n - mapping.start)).toBe(0x80202000)
    expect(tables.map(linear[48] + 0x1234567n)).toMatchObject({ start: linear[48], physical: ram })
    expect(memory.reads).toBe(before)
    expect(tables.map(linear[48] + BigInt(256 * MiB))).toBeUndefined()
  })

  it('believes the tables when they contradict the linear map', () => {
    const { builder, open } = makeMachine(48)
    builder.map(linear[48] + BigInt(root - ram), root - 2 * MiB, 21)
    expect(open().map(linear[48] + 0x1000n)).toBeUndefined()
  })

  it.each([
    ['no VA_BITS that exists', { VA_BITS: 42 }, /VA_BITS is 42/],
    ['no place of the image', { va_kernel_pa_offset: 0n }, /no page table can be at/],
  ])('refuses %s', (_, numbers, message) => {
    const { open } = makeMachine(48, { numbers })
    expect(open).toThrow(KernelError)
    expect(open).toThrow(message)
  })
})

describe('riscv64 registers', () => {
  it('follow user_regs_struct', () => {
    const { names, prstatusSize } = riscv64.registers
    expect([names.indexOf('pc'), names.indexOf('sp'), names.indexOf('a0'), names.indexOf('t6')]).toEqual([
      0, 2, 10, 31,
    ])
    // 112 bytes, 32 registers, pr_fpvalid, padding.
    expect(prstatusSize).toBe(112 + 32 * 8 + 8)
  })
})
