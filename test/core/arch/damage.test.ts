// Page tables full of anything: every address gets an answer or a FaultError, in as few reads as there
// are levels.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { archList, type TranslationInputs } from '../../../src/core/arch/index.ts'
import { DumpError } from '../../../src/core/errors.ts'
import { type FactList, makeFacts } from '../../make/facts.ts'
import { GuestMemory } from '../../make/guest-memory.ts'

const MiB = 1 << 20
/** Facts whose root is at `root`, of each architecture's variants. */
const variants: readonly (readonly [string, string, number, FactList])[] = [
  [
    'x86_64',
    'four levels',
    4096,
    { symbols: { swapper_pg_dir: 0xffffffff80010000n }, numbers: { phys_base: 0 } },
  ],
  [
    'x86_64',
    'five levels',
    4096,
    {
      symbols: { swapper_pg_dir: 0xffffffff80010000n, mem_section: 0xff11000000001000n },
      numbers: { phys_base: 0, pgtable_l5_enabled: 1 },
    },
  ],
  [
    'ppc64le',
    'radix',
    65536,
    { symbols: { swapper_pg_dir: 0xc000000000010000n }, numbers: { RADIX_MMU: 1 } },
  ],
  ['ppc64le', 'hash', 65536, { symbols: { swapper_pg_dir: 0xc000000000010000n }, numbers: { RADIX_MMU: 0 } }],
  ...[39, 48, 52].map(
    (bits) =>
      [
        'arm64',
        `${bits} bits`,
        4096,
        {
          symbols: { swapper_pg_dir: 0xffff800000010000n },
          numbers: { VA_BITS: bits, kimage_voffset: 0xffff800000000000n, PHYS_OFFSET: 0 },
        },
      ] as const,
  ),
  ...[39, 48, 57].map(
    (bits) =>
      [
        'riscv64',
        `${bits} bits`,
        4096,
        {
          symbols: { swapper_pg_dir: 0xffffffff80010000n },
          numbers: {
            VA_BITS: bits,
            va_kernel_pa_offset: 0xffffffff80000000n,
            PAGE_OFFSET: 0xffffffd600000000n,
            phys_ram_base: 0,
          },
        },
      ] as const,
  ),
  ['s390x', 'one to one', 4096, { symbols: { swapper_pg_dir: 0x10000n } }],
  [
    's390x',
    'moved',
    4096,
    {
      lines: { IDENTITYBASE: '100000000000', KERNELOFFSET: '3fffe3a8000', KERNELOFFPHYS: '0' },
      symbols: { swapper_pg_dir: 0x3fffe3b8000n },
    },
  ],
]

describe.each(variants)('%s, %s, with garbage for tables', (name, _, pageSize, facts) => {
  const arch = archList.find((candidate) => candidate.name === name)

  it('gives an answer or a fault', () => {
    const word = fc.oneof(
      fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
      // Entries that lead somewhere: a table or a leaf inside RAM, in both byte orders.
      fc.integer({ min: 0, max: 15 }).map((page) => BigInt(page << 16) | 0x3n),
      fc.integer({ min: 0, max: 15 }).map((page) => swap(BigInt(page << 16) | (1n << 63n))),
    )
    const addresses = fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), {
      minLength: 20,
      maxLength: 20,
    })
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 8 }), addresses, (words, list) => {
        const memory = new GuestMemory([{ start: 0, end: MiB }])
        for (let i = 0; i < MiB / 8; i += 7) memory.writeU64(8 * i, words[i % words.length] ?? 0n)
        const inputs: TranslationInputs = { facts: makeFacts(facts), memory, pageSize, segments: [] }
        const tables = attempt(() => arch?.openTranslation(inputs))
        for (const address of list) {
          const before = memory.reads
          const mapping = attempt(() => tables?.map(address))
          expect(memory.reads - before).toBeLessThanOrEqual(5)
          if (mapping === undefined) continue
          expect(mapping.start <= address && address < mapping.end).toBe(true)
          expect(Number.isSafeInteger(mapping.physical) && mapping.physical >= 0).toBe(true)
        }
      }),
      { numRuns: 30 },
    )
  })

  it.each([0n, 8n, 0xfff8n, 1n << 52n, (1n << 64n) - 8n])('has a top table at %s', (at) => {
    const memory = new GuestMemory([{ start: 0, end: MiB }])
    const symbols = {
      ...facts.symbols,
      swapper_pg_dir: BigInt.asUintN(64, (facts.symbols?.swapper_pg_dir ?? 0n) + at),
    }
    const inputs = { facts: makeFacts({ ...facts, symbols }), memory, pageSize, segments: [] }
    const tables = attempt(() => arch?.openTranslation(inputs))
    attempt(() => tables?.map(0xffffffffff000000n))
    expect(memory.reads).toBeLessThan(20)
  })
})

function swap(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value)
  return view.getBigUint64(0, true)
}

/** Undefined instead of a DumpError; anything else that is thrown fails the test. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof DumpError) return undefined
    throw error
  }
}
