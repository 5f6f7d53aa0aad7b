// arm64: pages of 4, 16 or 64 KiB, 36 to 52 address bits, 2 to 5 levels. RAM is mapped linearly from
// PAGE_OFFSET = -(1 << VA_BITS) on, the kernel image in the vmalloc half at kimage_voffset.
// Source: Documentation/arch/arm64/memory.rst, arch/arm64/include/asm/{memory,pgtable-hwdef}.h.

import { alignDown } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { Mapping } from '../memory/virtual.ts'
import { abi64le } from '../struct.ts'
import { elfMachines } from './elf-machines.ts'
import { type KernelFacts, required } from './facts.ts'
import { imageWindow } from './image-window.ts'
import type { Arch, TranslationInputs } from './index.ts'
import { type Level, makeLevels, type PageTableFormat, PageTables } from './page-table.ts'

const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)

export const arm64: Arch = {
  name: 'arm64',
  elfMachine: elfMachines.aarch64,
  utsMachine: 'aarch64',
  abi: abi64le,
  // Pointers may carry a tag in their top byte.
  lowestAddress: 0xf0f0000000000000n,
  oldSectionBits: 30,
  registers: {
    prstatusSize: 392,
    // struct user_pt_regs
    names: [...Array.from({ length: 31 }, (_, n) => `x${n}`), 'sp', 'pc', 'pstate'],
    programCounter: 'pc',
    stackPointer: 'sp',
    userMode: { register: 'pstate', mask: 0xfn, value: 0n },
  },
  openTranslation,
}

function openTranslation(inputs: TranslationInputs): PageTables {
  const { facts, memory, pageSize } = inputs
  const imageOffset = required(facts.number('kimage_voffset'), 'NUMBER(kimage_voffset)')
  const root = wrap(required(facts.symbol('swapper_pg_dir'), 'SYMBOL(swapper_pg_dir)') - imageOffset)
  const tables = new PageTables(memory, formatOf(facts, pageSize), root)
  const sample = [alignDown(Number(root), pageSize)]
  const image = imageWindow(facts, pageSize, imageOffset)
  if (image !== undefined) tables.addCheckedWindow(image, sample)
  const linear = linearWindow(inputs)
  if (linear !== undefined) tables.addCheckedWindow(linear, sample)
  return tables
}

/** CONFIG_ARM64_VA_BITS; 48-bit hardware may run a kernel configured for 52. */
function configuredBits(facts: KernelFacts): number {
  const bits = Number(required(facts.number('VA_BITS'), 'NUMBER(VA_BITS)'))
  if (bits < 36 || bits > 52) throw new KernelError(`VMCOREINFO says VA_BITS is ${bits}`)
  return bits
}

function formatOf(facts: KernelFacts, pageSize: number): PageTableFormat {
  const configured = configuredBits(facts)
  const startBits = facts.number('TCR_EL1_T1SZ')
  const actual = startBits === undefined ? configured : Math.min(64 - Number(startBits), configured)
  if (actual < 36) throw new KernelError(`VMCOREINFO says TCR_EL1_T1SZ is ${startBits}`)
  // With 64K pages swapper_pg_dir keeps the configured layout; the hardware is given its upper part.
  const walked = pageSize === 65536 ? configured : actual
  // LPA2: 52-bit addresses with 4K and 16K pages, another use of the bits of an entry.
  const lpa2 = pageSize !== 65536 && actual === 52
  return {
    levels: levelsOf(Math.log2(pageSize), walked, lpa2),
    littleEndian: true,
    canonical(address) {
      const untagged = wrap(BigInt.asIntN(56, address))
      return untagged >= wrap(-1n << BigInt(actual)) ? untagged : undefined
    },
    decode(entry: bigint, level: Level) {
      const type = entry & 3n
      const address = outputAddress(entry, pageSize, lpa2)
      if (level.name === 'pte') return type === 3n ? { kind: 'leaf', address } : undefined
      if (type === 3n) return { kind: 'table', address }
      return type === 1n && level.leaf ? { kind: 'leaf', address } : undefined
    },
  }
}

function levelsOf(pageShift: number, addressBits: number, lpa2: boolean): Level[] {
  const bits = pageShift - 3
  const count = Math.ceil((addressBits - pageShift) / bits)
  const names = ['pte', 'pmd', 'pud', 'p4d', 'pgd']
  return makeLevels(
    pageShift,
    Array.from({ length: count }, (_, i) => ({
      name: i === count - 1 ? 'pgd' : (names[i] as string),
      bits: Math.min(bits, addressBits - pageShift - i * bits),
      leaf: i < 2 || (i === 2 && (pageShift === 12 || lpa2)),
    })),
  )
}

/** Bits 51 to 48 of the address stand in bits 15 to 12 with 64K pages, bits 51 and 50 in 9 and 8 with LPA2. */
function outputAddress(entry: bigint, pageSize: number, lpa2: boolean): bigint {
  const field = entry & ~BigInt(pageSize - 1)
  if (lpa2) return BigInt.asUintN(50, field) | (((entry >> 8n) & 3n) << 50n)
  const low = BigInt.asUintN(48, field)
  return pageSize === 65536 ? low | (((entry >> 12n) & 0xfn) << 48n) : low
}

/** RAM in the linear map. PHYS_OFFSET belongs to the configured PAGE_OFFSET and may be "negative". */
function linearWindow({ facts, memory, pageSize }: TranslationInputs): Mapping | undefined {
  const physOffset = facts.number('PHYS_OFFSET')
  const first = memory.ranges.at(0)
  const last = memory.ranges.at(-1)
  if (physOffset === undefined || first === undefined || last === undefined) return undefined
  const bits = configuredBits(facts)
  const physical = alignDown(first.start, pageSize)
  const start = wrap(BigInt(physical) - physOffset - (1n << BigInt(bits)))
  const pageEnd = wrap(-1n << BigInt(Math.min(bits, 48) - 1))
  const end = start + BigInt(last.end - physical)
  return start < pageEnd ? { start, end: end < pageEnd ? end : pageEnd, physical } : undefined
}
