import { describe, expect, it } from 'vitest'
import { arm64 } from '../../../src/core/arch/arm64.ts'
import type { TranslationInputs } from '../../../src/core/arch/index.ts'
import { KernelError } from '../../../src/core/errors.ts'
import { makeFacts } from '../../make/facts.ts'
import { GuestMemory } from '../../make/guest-memory.ts'
import { arm64Geometry, PageTableBuilder } from '../../make/page-tables.ts'

const MiB = 1 << 20
const ram = 0x40000000
const root = ram + 16 * MiB
const imageOffset = 0xffffa777e7600000n
const wrap = (value: bigint) => BigInt.asUintN(64, value)

interface Options {
  readonly pageShift: 12 | 14 | 16
  readonly configured: number
  readonly actual: number
}

function makeMachine({ pageShift, configured, actual }: Options) {
  const memory = new GuestMemory([
    { start: ram, end: ram + 256 * MiB },
    { start: 0xf000000000000, end: 0xf000000000000 + 256 * MiB },
  ])
  const lpa2 = actual === 52 && pageShift !== 16
  const walked = pageShift === 16 ? configured : actual
  const builder = new PageTableBuilder(memory, arm64Geometry(pageShift, walked, lpa2), root)
  // The kernel lowers PHYS_OFFSET by what the hardware's linear map starts later than the configured one.
  const physOffset = BigInt(ram) - ((1n << BigInt(configured)) - (1n << BigInt(actual)))
  const linear = wrap(-1n << BigInt(actual))
  const block = pageShift + (pageShift - 3)
  builder.map(linear, ram, block)
  const blockOfRoot = root - ram - ((root - ram) % 2 ** block)
  if (blockOfRoot > 0) builder.map(linear + BigInt(blockOfRoot), ram + blockOfRoot, block)
  const facts = {
    symbols: { swapper_pg_dir: wrap(BigInt(root) + imageOffset), _stext: wrap(BigInt(ram) + imageOffset) },
    numbers: {
      VA_BITS: configured,
      kimage_voffset: imageOffset,
      PHYS_OFFSET: wrap(physOffset),
      TCR_EL1_T1SZ: 64 - actual,
    },
  }
  const inputs: TranslationInputs = {
    facts: makeFacts(facts),
    memory,
    pageSize: 1 << pageShift,
    segments: [],
  }
  return { memory, builder, inputs, linear, facts }
}

const geometries: readonly (Options & { levels: number })[] = [
  { pageShift: 12, configured: 39, actual: 39, levels: 3 },
  { pageShift: 12, configured: 48, actual: 48, levels: 4 },
  { pageShift: 12, configured: 52, actual: 48, levels: 4 },
  { pageShift: 12, configured: 52, actual: 52, levels: 5 },
  { pageShift: 14, configured: 36, actual: 36, levels: 2 },
  { pageShift: 14, configured: 47, actual: 47, levels: 3 },
  { pageShift: 14, configured: 48, actual: 48, levels: 4 },
  { pageShift: 14, configured: 52, actual: 52, levels: 4 },
  { pageShift: 16, configured: 42, actual: 42, levels: 2 },
  { pageShift: 16, configured: 48, actual: 48, levels: 3 },
  { pageShift: 16, configured: 52, actual: 52, levels: 3 },
  { pageShift: 16, configured: 52, actual: 48, levels: 3 },
]

describe('arm64 translation', () => {
  it.each(geometries)('walks 2^$pageShift-byte pages, VA_BITS $configured on $actual', (geometry) => {
    const { builder, inputs, linear } = makeMachine(geometry)
    const page = 1n << BigInt(geometry.pageShift)
    // Bits 51:48 of the physical address exist with 64K pages and with LPA2.
    const high = geometry.actual === 52 || geometry.pageShift === 16
    const physical = (high ? 0xf000000000000 : ram) + 32 * Number(page)
    const virtual = 0xffffffffffff0000n - 8n * page
    builder.map(virtual, physical, geometry.pageShift)
    const tables = arm64.openTranslation(inputs)
    expect(tables.walk(virtual + 5n)).toEqual({ start: virtual, end: virtual + page, physical })
    expect(tables.walk(virtual - page)).toBeUndefined()
    const block = 1n << BigInt(2 * geometry.pageShift - 3)
    expect(tables.walk(linear + 0x1234n)).toEqual({ start: linear, end: linear + block, physical: ram })
  })

  it('has as many levels as the manual says', () => {
    for (const { pageShift, configured, actual, levels } of geometries) {
      const { memory, inputs, linear } = makeMachine({ pageShift, configured, actual })
      const tables = arm64.openTranslation(inputs)
      const before = memory.reads
      tables.walk(linear)
      // A fresh walker reads one piece per level; the linear map is a block one level up from the pages.
      expect(memory.reads - before, `${pageShift}/${actual}`).toBeLessThanOrEqual(levels - 1)
    }
  })

  it('maps RAM linearly though PHYS_OFFSET is negative, without reading tables', () => {
    const { memory, inputs, linear } = makeMachine({ pageShift: 12, configured: 52, actual: 48 })
    const tables = arm64.openTranslation(inputs)
    const before = memory.reads
    const at = linear + 0x8765432n
    const mapping = tables.map(at)
    expect(mapping && mapping.physical + Number(at - mapping.start)).toBe(ram + 0x8765432)
    expect(memory.reads).toBe(before)
  })

  it('finds RAM of Linux before 5.4, which mapped it in the upper half of kernel addresses', () => {
    const { builder, inputs, facts } = makeMachine({ pageShift: 12, configured: 48, actual: 48 })
    const linear = wrap(-1n << 47n)
    // Where RAM is since 5.4 there were modules and vmalloc.
    builder.map(wrap(-1n << 48n) + BigInt(root - ram), ram + 64 * MiB, 21)
    for (const at of [0, root - ram]) builder.map(linear + BigInt(at), ram + at, 21)
    const { TCR_EL1_T1SZ: _, ...numbers } = facts.numbers
    const tables = arm64.openTranslation({ ...inputs, facts: makeFacts({ ...facts, numbers }) })
    expect(tables.map(linear + 0x1234n)).toMatchObject({ start: linear, physical: ram })
    expect(tables.map(wrap(-1n << 48n) + BigInt(root - ram))?.physical).toBe(ram + 64 * MiB)
    expect(tables.map(wrap(-1n << 48n) + BigInt(16 * MiB + root - ram))).toBeUndefined()
  })

  it('gives the linear map up when the tables contradict it', () => {
    const { facts, inputs, linear, builder } = makeMachine({ pageShift: 12, configured: 48, actual: 48 })
    builder.map(linear + 0x2000000n, root + 2 * MiB, 21)
    // The root would be at linear + 32 MiB, and the tables have something else there.
    const wrong = makeFacts({ ...facts, numbers: { ...facts.numbers, PHYS_OFFSET: ram - 16 * MiB } })
    const tables = arm64.openTranslation({ ...inputs, facts: wrong })
    expect(tables.map(linear + 0x1000000n)).toMatchObject({ physical: root })
  })

  it('translates the image by kimage_voffset', () => {
    const { facts, inputs } = makeMachine({ pageShift: 12, configured: 48, actual: 48 })
    const { _stext, swapper_pg_dir } = facts.symbols
    const bare = arm64.openTranslation(inputs)
    // The tables of this machine do not map the image, so the rule is not used…
    expect(bare.map(_stext)).toBeUndefined()
    // …and with a map of it, it is.
    const { builder, inputs: mapped } = makeMachine({ pageShift: 12, configured: 48, actual: 48 })
    builder.map(swapper_pg_dir, root, 12)
    expect(arm64.openTranslation(mapped).map(_stext + 0x42n)).toEqual({
      start: _stext,
      end: swapper_pg_dir + 4096n,
      physical: ram,
    })
  })

  it('drops the tag of a pointer and refuses user addresses', () => {
    const { inputs, linear } = makeMachine({ pageShift: 12, configured: 48, actual: 48 })
    const tables = arm64.openTranslation(inputs)
    const tagged = (linear & ((1n << 56n) - 1n)) | (0xf4n << 56n)
    expect(tables.walk(tagged + 0x10n)).toMatchObject({ start: tagged, physical: ram })
    expect(tables.map(0x0000aaaac0000000n)).toBeUndefined()
    expect(tables.map(linear - 4096n)).toBeUndefined()
  })

  it('allows no block where the hardware has none', () => {
    const { builder, inputs, memory } = makeMachine({ pageShift: 14, configured: 48, actual: 48 })
    const at = 0xffffff8000000000n
    memory.writeU64(builder.entryAddress(at, 36), BigInt(ram) | 1n)
    expect(arm64.openTranslation(inputs).walk(at)).toBeUndefined()
  })

  it.each([
    ['VA_BITS', 99],
    ['VA_BITS', 0],
    ['TCR_EL1_T1SZ', 63],
  ])('refuses %s = %i', (name, value) => {
    const { facts, inputs } = makeMachine({ pageShift: 12, configured: 48, actual: 48 })
    const bad = makeFacts({ ...facts, numbers: { ...facts.numbers, [name]: value } })
    expect(() => arm64.openTranslation({ ...inputs, facts: bad })).toThrow(KernelError)
  })

  it('says what is missing', () => {
    const { inputs } = makeMachine({ pageShift: 12, configured: 48, actual: 48 })
    expect(() => arm64.openTranslation({ ...inputs, facts: makeFacts({}) })).toThrow(/kimage_voffset/)
  })
})

describe('arm64 registers', () => {
  it('follow user_pt_regs', () => {
    expect(arm64.registers.names).toHaveLength(272 / 8)
    expect(arm64.registers.names.slice(30)).toEqual(['x30', 'sp', 'pc', 'pstate'])
  })
})
