// riscv64: three to five levels of 9 bits (Sv39, Sv48, Sv57), any of which may map memory itself. RAM is
// mapped linearly from PAGE_OFFSET on, the kernel image at the top of the address space.
// Source: RISC-V privileged architecture 12.4 to 12.6, Linux arch/riscv/include/asm/pgtable*.h.

import { alignDown } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { Mapping } from '../memory/virtual.ts'
import { abi64le } from '../struct.ts'
import { elfMachines } from './elf-machines.ts'
import { type KernelFacts, required } from './facts.ts'
import { imageWindow } from './image-window.ts'
import type { Arch, TranslationInputs } from './index.ts'
import { type Level, makeLevels, type PageTableFormat, PageTables } from './page-table.ts'

const validBit = 1n
/** Readable, writable, executable: an entry with none of them leads to the next table. */
const accessBits = 0xen
const pageNumberMask = (1n << 44n) - 1n
/** Svnapot: the entry is one of 16 equal ones that map 64 KiB. */
const contiguousBit = 1n << 63n
const contiguousShift = 16

export const riscv64: Arch = {
  name: 'riscv64',
  elfMachine: elfMachines.riscv64,
  utsMachine: 'riscv64',
  abi: abi64le,
  lowestAddress: 0xff00000000000000n,
  oldSectionBits: 27,
  registers: {
    prstatusSize: 376,
    // struct user_regs_struct
    names: (
      'pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 ' + 's2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'
    ).split(' '),
    programCounter: 'pc',
    stackPointer: 'sp',
    // The note lacks the status register.
    userMode: { register: 'pc', mask: 1n << 63n, value: 0n },
  },
  openTranslation,
}

function openTranslation(inputs: TranslationInputs): PageTables {
  const { facts, memory, pageSize } = inputs
  const imageOffset = required(facts.number('va_kernel_pa_offset'), 'NUMBER(va_kernel_pa_offset)')
  const pgd = required(facts.symbol('swapper_pg_dir'), 'SYMBOL(swapper_pg_dir)')
  const root = BigInt.asUintN(64, pgd - imageOffset)
  const tables = new PageTables(memory, formatOf(facts), root)
  const sample = [alignDown(Number(root), pageSize)]
  for (const window of [imageWindow(facts, pageSize, imageOffset), linearWindow(inputs)]) {
    if (window !== undefined) tables.addCheckedWindow(window, sample)
  }
  return tables
}

function formatOf(facts: KernelFacts): PageTableFormat {
  const bits = Number(required(facts.number('VA_BITS'), 'NUMBER(VA_BITS)'))
  if (bits !== 39 && bits !== 48 && bits !== 57) throw new KernelError(`VMCOREINFO says VA_BITS is ${bits}`)
  const names = ['pte', 'pmd', 'pud', 'p4d'].slice(0, (bits - 12) / 9 - 1)
  return {
    levels: makeLevels(
      12,
      [...names, 'pgd'].map((name) => ({ name, bits: 9, leaf: true })),
    ),
    littleEndian: true,
    canonical: (address) =>
      BigInt.asUintN(64, BigInt.asIntN(bits, address)) === address ? address : undefined,
    decode(entry: bigint, level: Level) {
      if ((entry & validBit) === 0n) return undefined
      const address = ((entry >> 10n) & pageNumberMask) << 12n
      const isLeaf = (entry & accessBits) !== 0n
      if (level.name !== 'pte') return { kind: isLeaf ? 'leaf' : 'table', address }
      if (!isLeaf) return undefined
      const contiguous = (entry & contiguousBit) !== 0n
      return { kind: 'leaf', address, shift: contiguous ? contiguousShift : level.shift }
    },
  }
}

/** RAM from the first byte the kernel uses to the last. */
function linearWindow({ facts, memory }: TranslationInputs): Mapping | undefined {
  const base = facts.number('PAGE_OFFSET')
  const physical = facts.number('phys_ram_base')
  const ramEnd = BigInt(memory.ranges.at(-1)?.end ?? 0)
  if (base === undefined || physical === undefined || physical < 0n || physical >= ramEnd) return undefined
  const start = BigInt.asUintN(64, base)
  return { start, end: start + ramEnd - physical, physical: Number(physical) }
}
