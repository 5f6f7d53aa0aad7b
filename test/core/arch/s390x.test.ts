import { describe, expect, it } from 'vitest'
import type { TranslationInputs } from '../../../src/core/arch/index.ts'
import { s390x } from '../../../src/core/arch/s390x.ts'
import { type FactList, makeFacts } from '../../make/facts.ts'
import { GuestMemory } from '../../make/guest-memory.ts'
import { PageTableBuilder, s390xGeometry } from '../../make/page-tables.ts'

const MiB = 1 << 20
const root = 16 * MiB
const tops = ['region3', 'region2', 'region1'] as const
const identityBase = 0x100000000000n

function makeMachine(top: (typeof tops)[number], given: FactList = {}) {
  const memory = new GuestMemory([{ start: 0, end: 256 * MiB }])
  const builder = new PageTableBuilder(memory, s390xGeometry(top), root)
  const open = (facts: FactList = given) => {
    const inputs: TranslationInputs = {
      facts: makeFacts({ ...facts, symbols: { swapper_pg_dir: BigInt(root), ...facts.symbols } }),
      memory,
      pageSize: 4096,
      segments: [],
    }
    return s390x.openTranslation(inputs)
  }
  return { memory, builder, open }
}

const movedRoot = 0x3fffe3a8000n - 0x9a8000n + BigInt(root)
/** What a booted Linux 7.2 said, with RAM moved too. */
const moved: FactList = {
  lines: {
    IDENTITYBASE: '100000000000',
    KERNELOFFSET: '3fffe3a8000',
    KERNELOFFPHYS: '9a8000',
    SAMODE31: 'aa5000',
    EAMODE31: 'aa8000',
  },
  symbols: { swapper_pg_dir: movedRoot, _stext: 0x3fffe4a8000n },
}

describe('s390x translation', () => {
  it.each(tops)('walks from a %s table down, with pages of 4 KiB, 1 MiB and 2 GiB', (top) => {
    const { builder, open } = makeMachine(top)
    // The highest addresses of each: region tables have 2048 entries.
    const base = { region3: 0x3fd00000000n, region2: 0x1fff7500000000n, region1: 0xfffe007500000000n }[top]
    builder.map(base + 0x5000n, 0x340000, 12)
    builder.map(base + 0x100000n, 0x600000, 20)
    builder.map(base + 0x80000000n, 0x180000000, 31)
    const tables = open()
    expect(tables.map(base + 0x5abcn)).toEqual({
      start: base + 0x5000n,
      end: base + 0x6000n,
      physical: 0x340000,
    })
    expect(tables.map(base + 0x1fffffn)).toEqual({
      start: base + 0x100000n,
      end: base + 0x200000n,
      physical: 0x600000,
    })
    expect(tables.map(base + 0xffffffffn)).toMatchObject({ start: base + 0x80000000n, physical: 0x180000000 })
    expect(tables.map(base + 0x6000n)).toBeUndefined()
    if (top !== 'region1') expect(tables.map(base + (1n << 56n))).toBeUndefined()
  })

  it('maps nothing by entries that are invalid or of another type than their table', () => {
    const { memory, builder, open } = makeMachine('region3')
    const base = 0x38000000000n
    const set = (address: bigint, shift: number, change: bigint) => {
      builder.map(address, 0x340000, shift)
      const at = builder.entryAddress(address, shift)
      const entry = new DataView(new ArrayBuffer(8))
      memory.read(at, new Uint8Array(entry.buffer))
      memory.writeU64(at, entry.getBigUint64(0) ^ change, false)
    }
    set(base, 12, 0x400n)
    set(base + 0x1000n, 12, 0x800n)
    set(base + 0x100000n, 20, 0x20n)
    set(base + 0x200000n, 20, 0x4n)
    set(base + 0x300000n, 20, 0n)
    const tables = open()
    for (const at of [0n, 0x1000n, 0x100000n, 0x200000n]) expect(tables.map(base + at)).toBeUndefined()
    expect(tables.map(base + 0x300000n)).toBeDefined()
  })

  it('up to Linux 6.9 has RAM, image and lowcore where their addresses say', () => {
    // KERNELOFFSET is exported by those kernels, too.
    const { builder, open } = makeMachine('region3', { lines: { KERNELOFFSET: '7000000' } })
    builder.map(BigInt(root), root, 20)
    expect(open().map(0x7654321n)).toMatchObject({ physical: 0 })
    expect(open().map(BigInt(256 * MiB))).toBeUndefined()
  })

  it('since Linux 6.10 finds RAM, image, 31-bit code and lowcore by what VMCOREINFO says', () => {
    const { builder, open } = makeMachine('region2', moved)
    builder.map(identityBase + BigInt(root), root, 20)
    builder.map(movedRoot, root, 12)
    const tables = open()
    const physical = (address: bigint) => {
      const mapping = tables.map(address)
      return mapping && mapping.physical + Number(address - mapping.start)
    }
    expect(physical(identityBase)).toBe(0)
    expect(physical(identityBase + 0x1234567n)).toBe(0x1234567)
    expect(physical(0x3fffe4a8123n)).toBe(0xaa8123)
    expect(physical(0xaa5010n)).toBe(0xaa5010)
    expect(physical(0x0e18n)).toBe(0x0e18)
    expect(physical(0x2000n)).toBeUndefined()
    expect(physical(identityBase + BigInt(256 * MiB))).toBeUndefined()
  })

  it('asks os_info when VMCOREINFO does not say it', () => {
    const { memory, builder, open } = makeMachine('region2')
    builder.map(identityBase + BigInt(root), root, 20)
    builder.map(movedRoot, root, 12)
    const symbols = moved.symbols ?? {}
    expect(open({ symbols }).map(identityBase + 0x1000n)).toBeUndefined()
    // The lowcore's pointer, then the magic number and entries of 20 bytes from byte 32 on.
    memory.writeU64(0x0e18, 0x7000n, false)
    memory.writeU64(0x7000, 0x4f53494e464f535an, false)
    memory.writeU64(0x7000 + 32 + 4 * 20, identityBase, false)
    memory.writeU64(0x7000 + 32 + 5 * 20, 0x3fffe3a8000n, false)
    memory.writeU64(0x7000 + 32 + 6 * 20, 0x9a8000n, false)
    expect(open({ symbols }).map(identityBase + 0x1000n)).toMatchObject({ start: identityBase, physical: 0 })
    expect(open({ symbols }).map(0x3fffe4a8000n)?.physical).toBe(0xaa8000)
  })

  it.each([
    ['points outside RAM', 0x0e18, 1n << 40n],
    ['points beyond any address', 0x0e18, 1n << 63n],
    ['has another magic number', 0x7000, 0x4f53494e464f5359n],
  ])('does without an os_info that %s', (_, at, value) => {
    const { memory, builder, open } = makeMachine('region3')
    builder.map(BigInt(root), root, 20)
    memory.writeU64(0x0e18, 0x7000n, false)
    memory.writeU64(0x7000 + 32 + 5 * 20, 0x3fffe3a8000n, false)
    memory.writeU64(at, value, false)
    expect(open().map(0x1234000n)).toMatchObject({ start: 0n, physical: 0 })
  })

  it('believes the tables when they contradict the place of RAM', () => {
    const { builder, open } = makeMachine('region3')
    builder.map(BigInt(root), root + MiB, 20)
    expect(open().map(BigInt(root))?.physical).toBe(root + MiB)
    expect(open().map(0x300000n)).toBeUndefined()
  })
})

describe('s390x registers', () => {
  it('follow s390_regs', () => {
    const { names, prstatusSize } = s390x.registers
    expect([names.indexOf('pswa'), names.indexOf('r0'), names.indexOf('r15')]).toEqual([1, 2, 17])
    // 112 bytes, PSW, general registers, access registers, orig_gpr2, pr_fpvalid, padding.
    expect(prstatusSize).toBe(112 + 16 + 128 + 64 + 8 + 8)
  })
})
