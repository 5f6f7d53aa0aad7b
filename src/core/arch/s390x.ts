// s390x, big endian: the kernel has an address space of its own, beginning at 0, of up to three region
// tables, a segment table and page tables. RAM is mapped one to one, since Linux 6.10 from __identity_base
// on; until then the image is a part of it, since then it lies elsewhere.
// Source: z/Architecture Principles of Operation, chapter 3; Linux arch/s390/include/asm/{pgtable,page}.h.

import { alignDown } from '../address.ts'
import { FaultError } from '../errors.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import type { Mapping } from '../memory/virtual.ts'
import { abi64be } from '../struct.ts'
import { elfMachines } from './elf-machines.ts'
import { type KernelFacts, required } from './facts.ts'
import { imageWindow } from './image-window.ts'
import type { Arch, TranslationInputs } from './index.ts'
import { type Level, makeLevels, type PageTableFormat, PageTables } from './page-table.ts'
import { readOsInfo } from './s390x-os-info.ts'

/** Addresses below mean the lowcore of the CPU that uses them. */
const lowcoreSize = 0x2000n
/** Region and segment table entries: invalid, the type of the table they are in, maps memory itself. */
const invalidTable = 0x20n
const typeMask = 0xcn
const largeBit = 0x400n
/** Page table entries: invalid, must be zero. */
const invalidPage = 0xc00n
const addressMask = (1n << 53n) - 1n

export const s390x: Arch = {
  name: 's390x',
  elfMachine: elfMachines.s390x,
  utsMachine: 's390x',
  abi: abi64be,
  lowestAddress: lowcoreSize,
  oldSectionBits: 28,
  registers: {
    prstatusSize: 336,
    // s390_regs; the access registers and the first argument of a system call follow.
    names: ['pswm', 'pswa', ...Array.from({ length: 16 }, (_, n) => `r${n}`)],
    programCounter: 'pswa',
    stackPointer: 'r15',
    userMode: { register: 'pswm', mask: 1n << 48n, value: 1n << 48n },
  },
  openTranslation,
}

function openTranslation(inputs: TranslationInputs): PageTables {
  const { facts, memory, pageSize } = inputs
  const { identityBase, imageStart, imageOffset } = layoutOf(facts, memory)
  const pgd = required(facts.symbol('swapper_pg_dir'), 'SYMBOL(swapper_pg_dir)')
  const root = BigInt.asUintN(64, pgd - (pgd >= imageStart ? imageOffset : identityBase))
  const tables = new PageTables(memory, formatOf(topLevel(memory, root)), root)
  const ramEnd = BigInt(memory.ranges.at(-1)?.end ?? 0)
  const windows = [
    { start: 0n, end: lowcoreSize, physical: 0 },
    amode31Window(facts),
    imageWindow(facts, pageSize, imageOffset),
    { start: identityBase, end: identityBase + ramEnd, physical: 0 },
  ]
  const sample = [alignDown(Number(root), pageSize)]
  for (const window of windows) if (window !== undefined) tables.addCheckedWindow(window, sample)
  return tables
}

interface AddressLayout {
  /** Virtual address of physical 0. */
  readonly identityBase: bigint
  /** Lowest virtual address of the image. */
  readonly imageStart: bigint
  /** Virtual minus physical address of the image. */
  readonly imageOffset: bigint
}

/**
 * Since Linux 6.10 image and RAM are mapped apart from each other, and VMCOREINFO and os_info say where.
 * KERNELOFFSET alone is older: then it is the same distance in both kinds of address.
 */
function layoutOf(facts: KernelFacts, memory: PhysicalMemory): AddressLayout {
  const identityBase = facts.hex('IDENTITYBASE')
  const imageStart = facts.hex('KERNELOFFSET')
  const physical = facts.hex('KERNELOFFPHYS')
  if (identityBase !== undefined && imageStart !== undefined && physical !== undefined) {
    return { identityBase, imageStart, imageOffset: imageStart - physical }
  }
  const stated = readOsInfo(memory)
  if (stated !== undefined && stated.kaslrOffset !== 0n) {
    const { identityBase, kaslrOffset, kaslrPhysical } = stated
    return { identityBase, imageStart: kaslrOffset, imageOffset: kaslrOffset - kaslrPhysical }
  }
  return { identityBase: 0n, imageStart: 0n, imageOffset: 0n }
}

/** Code and data that 31-bit interfaces need: always where its address says. */
function amode31Window(facts: KernelFacts): Mapping | undefined {
  const start = facts.hex('SAMODE31')
  const end = facts.hex('EAMODE31')
  if (start === undefined || end === undefined || end <= start || end >= 1n << 31n) return undefined
  return { start, end, physical: Number(start) }
}

const levelNames = ['segment', 'region3', 'region2', 'region1']
/** What a kernel's top table is when it cannot be read: 4 TiB are enough for most. */
const usualTop = 1

/** Every entry of a region or segment table tells which kind of table it is in. */
function topLevel(memory: PhysicalMemory, root: bigint): number {
  const view = new DataView(new ArrayBuffer(8))
  try {
    if (root <= addressMask) memory.read(Number(root), new Uint8Array(view.buffer))
    else return usualTop
  } catch (error) {
    if (!(error instanceof FaultError)) throw error
    return usualTop
  }
  return Number((view.getBigUint64(0) & typeMask) >> 2n)
}

function formatOf(top: number): PageTableFormat {
  const upper = levelNames.slice(0, top + 1)
  const end = 1n << BigInt(20 + 11 * upper.length)
  return {
    levels: makeLevels(12, [
      { name: 'pte', bits: 8, leaf: true },
      ...upper.map((name, i) => ({ name, bits: 11, leaf: i < 2 })),
    ]),
    littleEndian: false,
    canonical: (address) => (address < end ? address : undefined),
    decode(entry: bigint, level: Level) {
      const address = entry & addressMask
      if (level.name === 'pte') return (entry & invalidPage) === 0n ? { kind: 'leaf', address } : undefined
      const type = BigInt(levelNames.indexOf(level.name)) << 2n
      if ((entry & invalidTable) !== 0n || (entry & typeMask) !== type) return undefined
      if (level.leaf && (entry & largeBit) !== 0n) return { kind: 'leaf', address }
      // A page table has 256 entries; region and segment tables begin at a page.
      return { kind: 'table', address: address & (level.name === 'segment' ? ~0x7ffn : ~0xfffn) }
    },
  }
}
