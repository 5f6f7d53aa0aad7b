// Memory maps of every model, built; what the right answer is follows from how they were built.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpError, KernelError } from '../../../src/core/errors.ts'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import { readMemMap } from '../../../src/core/kernel/mem-map.ts'
import type { Range } from '../../../src/core/ranges.ts'
import { type FactList, makeVmcoreinfoText } from '../../make/facts.ts'
import { GuestMemory } from '../../make/guest-memory.ts'
import { directMap, makeDump } from '../../make/page-machine.ts'
import { PageTableBuilder, x86Geometry } from '../../make/page-tables.ts'
import { riscv64Platform } from '../../make/platforms.ts'

const MiB = 1 << 20
const GiB = 1 << 30
const root = 16 * MiB
const vmemmap = 0xffffea0000000000n
const sectionPages = (128 * MiB) / 4096
const sectionBytes = BigInt(sectionPages * 64)
const table = MiB
const direct = (physical: number): bigint => directMap + BigInt(physical)

/** RAM with direct map and vmemmap; the test adds what the kernel says of its sections. */
function makeMachine(ram: readonly Range[] = [{ start: 0, end: GiB }]) {
  const memory = new GuestMemory(ram)
  const tables = new PageTableBuilder(memory, x86Geometry(4), root)
  for (let at = 0; at < 64 * MiB; at += 2 * MiB) tables.map(direct(at), at, 21)
  for (let i = 0; i < 64; i++) tables.map(vmemmap + BigInt(i * 2 * MiB), 32 * MiB, 21)
  const open = (facts: FactList) =>
    openKernel(
      makeDump(
        memory,
        makeVmcoreinfoText({
          lines: { PAGESIZE: 4096 },
          ...facts,
          symbols: { init_top_pgt: 0xffffffff80000000n + BigInt(root), ...facts.symbols },
          sizes: { page: 64, mem_section: 16, ...facts.sizes },
          offsets: { 'mem_section.section_mem_map': 0, ...facts.offsets },
          numbers: { phys_base: 0, SECTION_SIZE_BITS: 27, MAX_PHYSMEM_BITS: 46, ...facts.numbers },
        }),
      ),
    )
  return { memory, open }
}

const extreme: FactList = { symbols: { mem_section: direct(table) }, lengths: { mem_section: 2048 } }

describe('SPARSEMEM_EXTREME', () => {
  it('finds the sections through the array of roots and merges those that follow each other', () => {
    const { memory, open } = makeMachine()
    memory.writeU64(table, direct(table + 0x1000))
    // 0 and 1 follow each other, 2 is absent, 4 has its struct pages elsewhere.
    memory.writeU64(table + 0x1000, vmemmap | 0x3n)
    memory.writeU64(table + 0x1010, vmemmap | 0xfn)
    memory.writeU64(table + 0x1020, vmemmap | 0x2n)
    memory.writeU64(table + 0x1040, (vmemmap - 2n * sectionBytes) | 0x3fn)
    expect(readMemMap(open(extreme))).toEqual({
      model: 'SPARSEMEM_EXTREME',
      structPageSize: 64,
      sections: [
        { firstPfn: 0, endPfn: 2 * sectionPages, structPages: vmemmap },
        { firstPfn: 4 * sectionPages, endPfn: 5 * sectionPages, structPages: vmemmap + 2n * sectionBytes },
      ],
      endPfn: 5 * sectionPages,
    })
  })

  it('finds them when the symbol is the pointer to the array, as in a symbol table since Linux 4.15', () => {
    const { memory, open } = makeMachine()
    memory.writeU64(table + 0x3000, direct(table))
    memory.writeU64(table, direct(table + 0x1000))
    memory.writeU64(table + 0x1000, vmemmap | 0x3n)
    const kernel = open({ ...extreme, symbols: { mem_section: direct(table + 0x3000) } })
    expect(readMemMap(kernel)).toMatchObject({ model: 'SPARSEMEM_EXTREME', endPfn: sectionPages })
  })

  it('ends at the last section that is present, below video and firmware memory', () => {
    const { memory, open } = makeMachine([
      { start: 0, end: 96 * MiB },
      { start: 0xfd000000, end: 0x100000000 },
    ])
    memory.writeU64(table, direct(table + 0x1000))
    memory.writeU64(table + 0x1000, vmemmap | 0x3n)
    expect(readMemMap(open(extreme)).endPfn).toBe(0x8000)
  })

  it('reads sections far up without visiting those between', () => {
    const far = 2 ** 45
    const { memory, open } = makeMachine([
      { start: 0, end: GiB },
      { start: far, end: far + GiB },
    ])
    const lastRoot = far / (128 * MiB) / 256
    memory.writeU64(table + 8 * lastRoot, direct(table + 0x9000))
    const base = vmemmap - BigInt(far / 4096) * 64n
    memory.writeU64(table + 0x9000, BigInt.asUintN(64, base) | 0x3n)
    const before = memory.reads
    const { sections } = readMemMap(open(extreme))
    expect(sections).toEqual([
      { firstPfn: far / 4096, endPfn: far / 4096 + sectionPages, structPages: vmemmap },
    ])
    expect(memory.reads - before).toBeLessThan(40)
  })

  it.each([
    ['no section is present', 0n],
    ['a section says its struct pages are in user space', 0x7fff00000000n | 1n],
    ['its struct pages are not mapped', 0xffffeb0000000000n | 1n],
  ])('refuses when %s', (_, map) => {
    const { memory, open } = makeMachine()
    memory.writeU64(table, direct(table + 0x1000))
    memory.writeU64(table + 0x1000, map)
    expect(() => readMemMap(open(extreme))).toThrow(KernelError)
  })
})

describe('SPARSEMEM', () => {
  it('finds the sections in one array, whose length tells the model', () => {
    const { memory, open } = makeMachine()
    memory.writeU64(table + 16 * 3, vmemmap | 0x3n)
    const kernel = open({
      symbols: { mem_section: direct(table) },
      lengths: { mem_section: 2 ** 19 },
    })
    expect(readMemMap(kernel)).toEqual({
      model: 'SPARSEMEM',
      structPageSize: 64,
      sections: [
        {
          firstPfn: 3 * sectionPages,
          endPfn: 4 * sectionPages,
          structPages: vmemmap + 3n * sectionBytes,
        },
      ],
      endPfn: 4 * sectionPages,
    })
  })
})

describe('FLATMEM', () => {
  it('has one array from page 0 to the end of RAM', () => {
    const { memory, open } = makeMachine([{ start: 0, end: 96 * MiB }])
    memory.writeU64(table, vmemmap)
    expect(readMemMap(open({ symbols: { mem_map: direct(table) } }))).toEqual({
      model: 'FLATMEM',
      structPageSize: 64,
      sections: [{ firstPfn: 0, endPfn: 0x6000, structPages: vmemmap }],
      endPfn: 0x6000,
    })
  })

  it('begins where RAM does on riscv64, whose kernel counts pages from there', () => {
    const ram = 2 * GiB
    const memory = new GuestMemory([{ start: ram, end: ram + 96 * MiB }])
    const tables = new PageTableBuilder(memory, riscv64Platform.geometry, ram + root)
    const inLinear = (physical: number) => riscv64Platform.linear + BigInt(physical)
    for (let at = ram; at < ram + 96 * MiB; at += 2 * MiB) tables.map(inLinear(at), at, 21)
    tables.map(riscv64Platform.image + BigInt(ram + root), ram + root, 21)
    memory.writeU64(ram + table, inLinear(ram + 32 * MiB))
    const text = makeVmcoreinfoText({
      lines: { PAGESIZE: 4096 },
      symbols: { swapper_pg_dir: riscv64Platform.image + BigInt(ram + root), mem_map: inLinear(ram + table) },
      numbers: riscv64Platform.facts.numbers ?? {},
      sizes: { page: 64 },
    })
    expect(readMemMap(openKernel(makeDump(memory, text, riscv64Platform)))).toMatchObject({
      model: 'FLATMEM',
      sections: [{ firstPfn: 0x80000, endPfn: 0x86000, structPages: inLinear(ram + 32 * MiB) }],
    })
  })

  it('refuses an array that cannot be one', () => {
    const { memory, open } = makeMachine()
    memory.writeU64(table, 0x1000n)
    expect(() => readMemMap(open({ symbols: { mem_map: direct(table) } }))).toThrow(/no struct page/)
  })
})

describe('readMemMap', () => {
  it('says what is missing', () => {
    const { open } = makeMachine()
    expect(() => readMemMap(open({}))).toThrow(/mem_section.*mem_map/)
    expect(() => readMemMap(open({ ...extreme, sizes: { page: 8 } }))).toThrow(/8 bytes/)
  })

  it('gives a map or a DumpError for any table', () => {
    const word = fc.oneof(
      fc.constant(0n),
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      fc.bigInt({ min: 0n, max: 0x3fn }).map((flags) => vmemmap | flags),
      fc.integer({ min: 0, max: 64 * MiB }).map(direct),
    )
    const places = fc.array(fc.tuple(fc.integer({ min: 0, max: 1023 }), word), { maxLength: 30 })
    const bits = fc.integer({ min: 0, max: 64 })
    fc.assert(
      fc.property(places, bits, bits, fc.nat(), (words, sectionBits, physicalBits, length) => {
        const { memory, open } = makeMachine()
        for (const [at, value] of words) memory.writeU64(table + 8 * at, value)
        const kernel = open({
          symbols: extreme.symbols ?? {},
          numbers: { SECTION_SIZE_BITS: sectionBits, MAX_PHYSMEM_BITS: physicalBits },
          lengths: { mem_section: length },
        })
        try {
          const { sections } = readMemMap(kernel)
          expect(sections.every((s, i) => s.firstPfn >= (sections[i - 1]?.endPfn ?? 0))).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(DumpError)
        }
      }),
      { numRuns: 300 },
    )
  })
})
