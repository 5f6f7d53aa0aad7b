import { describe, expect, it } from 'vitest'
import type { TranslationInputs } from '../../../src/core/arch/index.ts'
import { x86_64 } from '../../../src/core/arch/x86-64.ts'
import { KernelError } from '../../../src/core/errors.ts'
import type { Range } from '../../../src/core/ranges.ts'
import { makeFacts } from '../../make/facts.ts'
import { GuestMemory } from '../../make/guest-memory.ts'
import { PageTableBuilder, x86Geometry } from '../../make/page-tables.ts'

const MiB = 1 << 20
const root = 16 * MiB
const image = 0xffffffff80000000n
/** Image loaded at 32 MiB below its link address: _text at link 0xffffffff82000000 is at physical 0. */
const physBase = -32n * BigInt(MiB)
const directMap = 0xffff988000000000n
const vmemmap = 0xffffea0000000000n

function makeMachine(
  options: { levels?: 4 | 5; encryption?: bigint; directMap?: bigint; video?: Range } = {},
) {
  const { levels = 4, encryption = 0n } = options
  const direct = options.directMap ?? directMap
  const memory = new GuestMemory([{ start: 0, end: 256 * MiB }, ...(options.video ? [options.video] : [])])
  const builder = new PageTableBuilder(memory, x86Geometry(levels, encryption), root)
  for (let at = 0; at < 256 * MiB; at += 2 * MiB) builder.map(direct + BigInt(at), at, 21)
  builder.map(vmemmap, 0x5000000, 21)
  builder.map(0xffffc90000001000n, 0x123000, 12)
  builder.map(image + 0x2000000n, 0, 21)
  builder.map(image + 0x3000000n, 16 * MiB, 21)
  const inputs: TranslationInputs = {
    facts: makeFacts({
      symbols: {
        swapper_pg_dir: image + BigInt(root) - physBase,
        mem_section: direct + 0x8000100n,
        _stext: image + 0x2000000n,
      },
      numbers: { phys_base: physBase, pgtable_l5_enabled: levels - 4, sme_mask: encryption },
    }),
    memory,
    pageSize: 4096,
    segments: [],
  }
  return { memory, inputs, builder }
}

describe('x86_64 translation', () => {
  it('walks pages, huge pages and gigantic pages', () => {
    const { inputs, builder } = makeMachine()
    builder.map(0xffffe00040000000n, 0x40000000, 30)
    const tables = x86_64.openTranslation(inputs)
    expect(tables.walk(0xffffc90000001fffn)).toEqual({
      start: 0xffffc90000001000n,
      end: 0xffffc90000002000n,
      physical: 0x123000,
    })
    expect(tables.walk(vmemmap + 0x1fffffn)).toMatchObject({ start: vmemmap, physical: 0x5000000 })
    expect(tables.walk(0xffffe0007fffffffn)).toMatchObject({ physical: 0x40000000, end: 0xffffe00080000000n })
    expect(tables.walk(0xffffc90000002000n)).toBeUndefined()
  })

  it('refuses addresses that are not canonical for the number of levels', () => {
    const high = 0xff11000000000000n
    const four = x86_64.openTranslation(makeMachine().inputs)
    expect(four.map(high)).toBeUndefined()
    const five = x86_64.openTranslation(makeMachine({ levels: 5, directMap: high }).inputs)
    expect(five.walk(high + 0x1234n)).toMatchObject({ start: high, physical: 0 })
    expect(five.map(0x0100000000000000n)).toBeUndefined()
  })

  it('takes the encryption bit out of entries', () => {
    const tables = x86_64.openTranslation(makeMachine({ encryption: 1n << 47n }).inputs)
    expect(tables.walk(vmemmap)).toMatchObject({ physical: 0x5000000 })
  })

  it('translates the image by phys_base, down to the address where physical memory begins', () => {
    const tables = x86_64.openTranslation(makeMachine().inputs)
    expect(tables.map(image + 0x3000042n)).toEqual({
      start: image + 0x2000000n,
      end: image + 0x20000000n,
      physical: 0,
    })
    expect(tables.map(image + 0x1000000n)).toBeUndefined()
  })

  it('takes phys_base from the segment of the image when the kernel does not state it', () => {
    const { inputs } = makeMachine()
    const facts = makeFacts({ symbols: { init_top_pgt: image + BigInt(root) - physBase } })
    const segments = [
      { virtual: directMap, physical: 0, memorySize: 256 * MiB },
      { virtual: image + 0x2000000n, physical: 0, memorySize: 32 * MiB },
    ]
    const tables = x86_64.openTranslation({ ...inputs, facts, segments })
    expect(tables.walk(vmemmap)).toMatchObject({ physical: 0x5000000 })
  })

  it('finds the direct map in the segments of a kernel’s own core file', () => {
    const { inputs, memory } = makeMachine()
    const segments = [
      { virtual: image + 0x2000000n, physical: 0, memorySize: 32 * MiB },
      { virtual: directMap + 0x100000n, physical: 0x100000, memorySize: 255 * MiB },
    ]
    const tables = x86_64.openTranslation({ ...inputs, segments })
    const before = memory.reads
    expect(tables.map(directMap + 0x1234567n)).toEqual({
      start: directMap,
      end: directMap + BigInt(256 * MiB),
      physical: 0,
    })
    expect(memory.reads).toBe(before)
  })

  it('finds the direct map of a hypervisor’s dump through mem_section', () => {
    const { inputs } = makeMachine()
    const segments = [{ virtual: 0n, physical: 0, memorySize: 256 * MiB }]
    const tables = x86_64.openTranslation({ ...inputs, segments })
    expect(tables.map(directMap + 0x1234567n)).toMatchObject({ start: directMap, physical: 0 })
  })

  it('ends the direct map before video and firmware memory that it does not map', () => {
    const { inputs } = makeMachine({ video: { start: 0xfd000000, end: 0xfe000000 } })
    const tables = x86_64.openTranslation(inputs)
    expect(tables.map(directMap)?.end).toBe(directMap + BigInt(256 * MiB))
    expect(tables.map(directMap + 0xfd000000n)).toBeUndefined()
  })

  it('believes the tables when a segment gives another direct map', () => {
    const { inputs } = makeMachine()
    const segments = [{ virtual: 0xffff888000000000n, physical: 0, memorySize: 256 * MiB }]
    const tables = x86_64.openTranslation({ ...inputs, segments })
    expect(tables.map(0xffff888000000000n)).toBeUndefined()
    expect(tables.map(directMap)).toMatchObject({ physical: 0 })
  })

  it('says what is missing', () => {
    const { inputs } = makeMachine()
    expect(() => x86_64.openTranslation({ ...inputs, facts: makeFacts({}) })).toThrow(/phys_base/)
    const facts = makeFacts({ numbers: { phys_base: 0 } })
    expect(() => x86_64.openTranslation({ ...inputs, facts })).toThrow(KernelError)
  })
})

describe('x86_64 registers', () => {
  it('fill user_regs_struct', () => {
    expect(x86_64.registers.names).toHaveLength(216 / 8)
    expect(x86_64.registers.names.indexOf('rip')).toBe(16)
    expect(x86_64.registers.names.indexOf('rsp')).toBe(19)
  })
})
