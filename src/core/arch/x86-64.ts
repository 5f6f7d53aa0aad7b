// x86_64: four or five levels of 9 bits, 4 KiB pages, huge pages at pmd and pud. The kernel image sits
// at START_KERNEL_map, displaced in physical memory by phys_base; all RAM is mapped once more in the
// direct map, whose base is random. Source: Documentation/arch/x86/x86_64/mm.rst.

import type { PhysAddr, VirtAddr } from '../address.ts'
import { MiB } from '../address.ts'
import { FaultError, KernelError } from '../errors.ts'
import type { Mapping } from '../memory/virtual.ts'
import { abi64le } from '../struct.ts'
import { elfMachines } from './elf-machines.ts'
import type { KernelFacts } from './facts.ts'
import type { Arch, TranslationInputs } from './index.ts'
import { type Level, makeLevels, type PageTableFormat, PageTables, physicalIn } from './page-table.ts'

const startKernelMap = 0xffffffff80000000n
const addressMask = 0x000ffffffffff000n
const presentBit = 1n
const hugeBit = 1n << 7n

export const x86_64: Arch = {
  name: 'x86_64',
  elfMachine: elfMachines.x86_64,
  utsMachine: 'x86_64',
  abi: abi64le,
  lowestAddress: 0xff00000000000000n,
  oldSectionBits: 27,
  registers: {
    prstatusSize: 336,
    // struct user_regs_struct
    names: (
      'r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax ' +
      'rip cs rflags rsp ss fs_base gs_base ds es fs gs'
    ).split(' '),
    programCounter: 'rip',
    stackPointer: 'rsp',
    userMode: { register: 'cs', mask: 3n, value: 3n },
  },
  openTranslation,
}

function openTranslation(inputs: TranslationInputs): PageTables {
  const { facts, memory } = inputs
  const physBase = physicalBase(inputs)
  const rootAddress =
    facts.symbol('init_top_pgt') ?? facts.symbol('init_level4_pgt') ?? facts.symbol('swapper_pg_dir')
  if (rootAddress === undefined) throw new KernelError('VMCOREINFO names no top page table (init_top_pgt)')
  const root = rootAddress - startKernelMap + physBase
  const tables = new PageTables(memory, formatOf(facts), root)
  tables.addWindow(imageWindow(facts, physBase))
  const directMap = directMapBase(tables, inputs)
  if (directMap !== undefined) addDirectMap(tables, directMap, inputs, Number(root))
  return tables
}

/** Where the image would be if START_KERNEL_map were physical 0; negative when it was moved down. */
function physicalBase({ facts, segments }: TranslationInputs): bigint {
  const exported = facts.number('phys_base')
  if (exported !== undefined) return BigInt.asIntN(64, exported)
  const image = segments.find((s) => s.virtual >= startKernelMap)
  if (image !== undefined) return BigInt(image.physical) - (image.virtual - startKernelMap)
  throw new KernelError('VMCOREINFO has no NUMBER(phys_base) and no segment maps the kernel image')
}

function formatOf(facts: KernelFacts): PageTableFormat {
  const fiveLevels = facts.number('pgtable_l5_enabled') === 1n
  // With memory encryption every entry carries the C-bit among its address bits.
  const mask = addressMask & ~(facts.number('sme_mask') ?? 0n)
  const lower = [
    { name: 'pte', bits: 9, leaf: true },
    { name: 'pmd', bits: 9, leaf: true },
    { name: 'pud', bits: 9, leaf: true },
  ]
  const upper = (fiveLevels ? ['p4d', 'pgd'] : ['pgd']).map((name) => ({ name, bits: 9, leaf: false }))
  const addressBits = fiveLevels ? 57 : 48
  return {
    levels: makeLevels(12, [...lower, ...upper]),
    littleEndian: true,
    canonical: (address) =>
      BigInt.asUintN(64, BigInt.asIntN(addressBits, address)) === address ? address : undefined,
    decode(entry: bigint, level: Level) {
      if ((entry & presentBit) === 0n) return undefined
      const leaf = level.name === 'pte' || (level.leaf && (entry & hugeBit) !== 0n)
      return { kind: leaf ? 'leaf' : 'table', address: entry & mask }
    },
  }
}

function imageWindow(facts: KernelFacts, physBase: bigint): Mapping {
  const stated = facts.number('KERNEL_IMAGE_SIZE') ?? 0n
  const size = stated > 0n && stated <= 1n << 30n ? stated : BigInt(512 * MiB)
  // Addresses whose physical address would be negative hold nothing.
  const start = physBase < 0n ? startKernelMap - physBase : startKernelMap
  return {
    start,
    end: startKernelMap + size,
    physical: Number(physBase < 0n ? 0n : BigInt.asUintN(52, physBase)),
  }
}

/**
 * Start of the direct map. A kernel's own core file shows it in its segments; a hypervisor's has
 * physical addresses in both fields. SYMBOL(mem_section) of a SPARSEMEM_EXTREME kernel points into it.
 */
function directMapBase(tables: PageTables, { facts, segments }: TranslationInputs): VirtAddr | undefined {
  const direct = segments.find(
    (s) => s.virtual < startKernelMap && s.virtual >= 1n << 63n && s.virtual !== BigInt(s.physical),
  )
  if (direct !== undefined) return direct.virtual - BigInt(direct.physical)
  const pointer = facts.symbol('mem_section')
  if (pointer === undefined || pointer >= startKernelMap) return undefined
  const physical = tryWalk(tables, pointer)
  return physical === undefined ? undefined : pointer - BigInt(physical)
}

/** Use the direct map up to the last RAM that begins in it: video and firmware ranges beyond do not. */
function addDirectMap(tables: PageTables, base: VirtAddr, inputs: TranslationInputs, root: PhysAddr): void {
  const last = inputs.memory.ranges
    .slice(-16)
    .findLast(({ start }) => tryWalk(tables, base + BigInt(start)) === start)
  if (last === undefined) return
  tables.addCheckedWindow({ start: base, end: base + BigInt(last.end), physical: 0 }, [root])
}

function tryWalk(tables: PageTables, address: VirtAddr): PhysAddr | undefined {
  try {
    return physicalIn(tables.walk(address), address)
  } catch (error) {
    if (error instanceof FaultError) return undefined
    throw error
  }
}
