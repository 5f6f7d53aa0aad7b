// ppc64, in either byte order: RAM is mapped linearly at 0xc000000000000000; vmalloc and vmemmap need tables. Those of the
// radix MMU are the hardware's own; under the hash MMU they are Linux's, and vmemmap is a list instead.
// Entries are big-endian on little-endian kernels too, since Linux 4.7. Source: arch/powerpc/include/asm/book3s/64.

import { hex, type VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import type { Mapping } from '../memory/virtual.ts'
import { type Abi, abi64be, abi64le } from '../struct.ts'
import { elfMachines } from './elf-machines.ts'
import type { KernelFacts } from './facts.ts'
import type { Arch, TranslationInputs } from './index.ts'
import { type Level, makeLevels, type PageTableFormat, PageTables } from './page-table.ts'

/** PAGE_OFFSET: where RAM is mapped linearly. */
export const linearBase = 0xc000000000000000n
/** Under radix and recent hash kernels everything from here on is mapped by tables. */
const linearEnd = 0xc008000000000000n
const presentBit = 1n << 63n
const leafBit = 1n << 62n
const tableMask = ~0xc0000000000000ffn & ((1n << 64n) - 1n)
const leafMask = (1n << 53n) - 1n
const radixFeature = 0x40

/** Index bits of pte, pmd, pud, pgd, by MMU and page size. Hash: as since Linux 4.17. */
const indexBits = {
  radix: { 65536: [5, 9, 9, 13], 4096: [9, 9, 9, 13] },
  hash: { 65536: [8, 10, 10, 8], 4096: [9, 7, 9, 9] },
} as const

const makeArch = (name: 'ppc64le' | 'ppc64', abi: Abi): Arch => ({
  name,
  elfMachine: elfMachines.ppc64,
  utsMachine: name,
  abi,
  lowestAddress: linearBase,
  oldSectionBits: 24,
  registers: {
    prstatusSize: 504,
    // struct pt_regs; four more slots are zero.
    names: [
      ...Array.from({ length: 32 }, (_, n) => `r${n}`),
      ...'nip msr orig_gpr3 ctr link xer ccr softe trap dar dsisr result'.split(' '),
    ],
    programCounter: 'nip',
    stackPointer: 'r1',
    userMode: { register: 'msr', mask: 0x4000n, value: 0x4000n },
  },
  openTranslation: (inputs) => openTranslation(inputs, abi.littleEndian),
})

export const ppc64le = makeArch('ppc64le', abi64le)
export const ppc64 = makeArch('ppc64', abi64be)

function openTranslation({ facts, memory, pageSize }: TranslationInputs, littleEndian: boolean): PageTables {
  const pgd = facts.symbol('swapper_pg_dir')
  if (pgd === undefined) throw new KernelError('VMCOREINFO has no SYMBOL(swapper_pg_dir)')
  const readLinear = makeLinearReader(memory, littleEndian)
  const radix = usesRadix(facts, readLinear)
  const bits = indexBits[radix ? 'radix' : 'hash'][pageSize as 4096 | 65536]
  if (bits === undefined) {
    throw new KernelError(`no ppc64 page table is known for pages of ${pageSize} bytes`)
  }
  const root = pgd - linearBase
  const tables = new PageTables(memory, formatOf(pageSize, bits, radix), root)
  const linear = { start: linearBase, end: linearEnd, physical: 0 }
  if (radix) tables.addCheckedWindow(linear, [Number(root)])
  else {
    tables.addWindow(linear)
    for (const window of vmemmapWindows(facts, readLinear)) tables.addWindow(window)
  }
  return tables
}

function formatOf(pageSize: number, bits: readonly number[], radix: boolean): PageTableFormat {
  const names = ['pte', 'pmd', 'pud', 'pgd']
  return {
    levels: makeLevels(
      Math.log2(pageSize),
      bits.map((n, i) => ({ name: names[i] as string, bits: n, leaf: true })),
    ),
    littleEndian: false,
    canonical: (address) => (address >= linearBase ? address : undefined),
    decode(entry: bigint, level: Level) {
      if (level.name === 'pte' || (entry & leafBit) !== 0n) {
        return (entry & presentBit) === 0n ? undefined : { kind: 'leaf', address: entry & leafMask }
      }
      const valid = radix ? (entry & presentBit) !== 0n : entry !== 0n
      return valid ? { kind: 'table', address: entry & tableMask & leafMask } : undefined
    },
  }
}

/** NUMBER(RADIX_MMU) since Linux 6.9, before that the feature word of the CPU the kernel runs on. */
function usesRadix(facts: KernelFacts, readLinear: LinearReader): boolean {
  const stated = facts.number('RADIX_MMU')
  if (stated !== undefined) return stated !== 0n
  const spec = facts.symbol('cur_cpu_spec')
  const offset = facts.offset('cpu_spec.mmu_features')
  if (spec === undefined || offset === undefined) return true
  return (readLinear(readLinear(spec, 8) + BigInt(offset), 4) & BigInt(radixFeature)) !== 0n
}

/** More than any machine has: one backing covers the struct pages of 16 GiB (64K pages) or more. */
const maxBackings = 1 << 17

/** struct vmemmap_backing: under the hash MMU, the pages that hold the struct pages, as a list. */
function vmemmapWindows(facts: KernelFacts, readLinear: LinearReader): Mapping[] {
  const head = facts.symbol('vmemmap_list')
  const psize = facts.symbol('mmu_vmemmap_psize')
  const psizeDefs = facts.symbol('mmu_psize_defs')
  const defSize = facts.size('mmu_psize_def')
  const shiftOffset = facts.offset('mmu_psize_def.shift')
  const next = facts.offset('vmemmap_backing.list')
  const phys = facts.offset('vmemmap_backing.phys')
  const virt = facts.offset('vmemmap_backing.virt_addr')
  if (head === undefined || psize === undefined || psizeDefs === undefined) return []
  if (defSize === undefined || shiftOffset === undefined) return []
  if (next === undefined || phys === undefined || virt === undefined) return []

  const first = readLinear(head, 8)
  if (first === 0n) return []
  const def = psizeDefs + readLinear(psize, 4) * BigInt(defSize)
  const shift = readLinear(def + BigInt(shiftOffset), 4)
  if (shift < 12n || shift > 34n) {
    throw new KernelError(`the page size of vmemmap is given as 2^${shift} bytes`)
  }
  const windows: Mapping[] = []
  for (let at = first; at !== 0n; at = readLinear(at + BigInt(next), 8)) {
    if (windows.length > 0 && at === first) break
    if (windows.length === maxBackings) {
      throw new KernelError(`vmemmap_list does not end after ${maxBackings} entries`)
    }
    const start = readLinear(at + BigInt(virt), 8)
    const physical = Number(readLinear(at + BigInt(phys), 8) & leafMask)
    windows.push({ start, end: start + (1n << shift), physical })
  }
  return windows
}

/** A number in the linear map, which needs no tables. */
type LinearReader = (address: VirtAddr, length: 4 | 8) => bigint

function makeLinearReader(memory: PhysicalMemory, littleEndian: boolean): LinearReader {
  const view = new DataView(new ArrayBuffer(8))
  return (address, length) => {
    if (address < linearBase || address >= linearEnd) {
      throw new KernelError(`the linear map does not hold ${hex(address)}`)
    }
    memory.read(Number(address - linearBase), new Uint8Array(view.buffer, 0, length))
    return length === 4 ? BigInt(view.getUint32(0, littleEndian)) : view.getBigUint64(0, littleEndian)
  }
}
