// Where the kernel keeps its struct pages: one array (FLATMEM), or one array per section of physical
// memory (SPARSEMEM), the sections being described in a table, or in tables found through a table
// (SPARSEMEM_EXTREME). With SPARSEMEM_VMEMMAP the arrays happen to follow each other in virtual memory.
// Source: Linux include/linux/mmzone.h, mm/sparse.c.

import { hex, type Pfn, type VirtAddr } from '../address.ts'
import { DumpError, KernelError } from '../errors.ts'
import { maxPages } from '../memory/physical.ts'
import type { Kernel } from './kernel.ts'
import { structPageSize } from './page-fields.ts'
import { required } from './vmcoreinfo.ts'

export interface MemSection {
  readonly firstPfn: Pfn
  readonly endPfn: Pfn
  /** struct page of firstPfn; the others follow. */
  readonly structPages: VirtAddr
}

export interface MemMap {
  readonly model: 'FLATMEM' | 'SPARSEMEM' | 'SPARSEMEM_EXTREME'
  /** sizeof(struct page), bytes. */
  readonly structPageSize: number
  /** Sorted, not overlapping; those that follow each other in both kinds of address are merged. */
  readonly sections: readonly MemSection[]
  /** Page after the last that has a struct page. */
  readonly endPfn: Pfn
}

/** The smallest sections are those of ppc64. */
const minSectionBits = 24

/** Low bits of section_mem_map: present, has a map, online, early, zone device, preinitialised. */
const flagBits = 0x3fn
const presentBit = 1n

/** @throws {KernelError} when the kernel does not say where its struct pages are, or they are not there. */
export function readMemMap(kernel: Kernel): MemMap {
  const size = structPageSize(kernel.vmcoreinfo)
  const endPfn = Math.ceil((kernel.memory.physical.ranges.at(-1)?.end ?? 0) / kernel.pageSize)
  if (endPfn > maxPages) throw new KernelError(`no memory map is read for ${endPfn} pages`)
  if (kernel.vmcoreinfo.symbol('mem_section') !== undefined) return readSparse(kernel, size, endPfn)
  const pointer = required(kernel.vmcoreinfo.symbol('mem_map'), 'SYMBOL(mem_section) or SYMBOL(mem_map)')
  const structPages = kernel.memory.u64(pointer)
  if (!isStructPage(kernel, structPages)) throw noStructPages(structPages)
  // Only riscv64 has page 0 of the array elsewhere than at physical address 0 (ARCH_PFN_OFFSET).
  const firstPfn =
    Number(BigInt.asUintN(52, kernel.vmcoreinfo.number('phys_ram_base') ?? 0n)) / kernel.pageSize
  if (!Number.isInteger(firstPfn) || firstPfn >= endPfn) throw noStructPages(structPages)
  return { model: 'FLATMEM', structPageSize: size, sections: [{ firstPfn, endPfn, structPages }], endPfn }
}

interface SparseGeometry {
  readonly pagesPerSection: number
  /** Sections up to the highest page of the dump. */
  readonly sections: number
  /** sizeof(struct mem_section). */
  readonly size: number
  /** OFFSET(mem_section.section_mem_map) */
  readonly mapOffset: number
  readonly structPageSize: number
  /** SECTION_SIZE_BITS */
  readonly sectionBits: number
}

function readSparse(kernel: Kernel, size: number, endPfn: Pfn): MemMap {
  const table = required(kernel.vmcoreinfo.symbol('mem_section'), 'SYMBOL(mem_section)')
  const geometry = sparseGeometry(kernel, size, endPfn)
  let problem: DumpError | undefined
  for (const { model, tables } of layoutsOf(kernel, table, geometry)) {
    try {
      const sections = decodeSections(kernel, geometry, tables())
      return { model, structPageSize: size, sections, endPfn: sections.at(-1)?.endPfn ?? 0 }
    } catch (error) {
      if (!(error instanceof DumpError)) throw error
      problem ??= error
    }
  }
  throw new KernelError(`no memory section can be read from ${hex(table)} (mem_section)`, {
    hint: 'without the memory map only dump levels 0 and 1 are possible',
    cause: problem,
  })
}

function sparseGeometry(
  { vmcoreinfo, arch, pageSize }: Kernel,
  structPageSize: number,
  endPfn: Pfn,
): SparseGeometry {
  const bits = Number(vmcoreinfo.number('SECTION_SIZE_BITS') ?? arch.oldSectionBits)
  const size = required(vmcoreinfo.size('mem_section'), 'SIZE(mem_section)')
  const mapOffset = required(
    vmcoreinfo.offset('mem_section.section_mem_map'),
    'OFFSET(mem_section.section_mem_map)',
  )
  if (bits < minSectionBits || bits > 40 || size < mapOffset + 8 || size > 1024) {
    throw new KernelError(`VMCOREINFO says sections of 2^${bits} bytes, described by ${size} bytes each`)
  }
  const pagesPerSection = 2 ** bits / pageSize
  const sections = Math.ceil(endPfn / pagesPerSection)
  return { pagesPerSection, sections, size, mapOffset, structPageSize, sectionBits: bits }
}

/** Some descriptions that stand in a row. */
interface SectionTable {
  readonly firstSection: number
  readonly address: VirtAddr
  readonly count: number
}

interface Layout {
  readonly model: MemMap['model']
  tables(): Iterable<SectionTable>
}

/** In the order in which they are tried: only the right one gives kernel addresses throughout. */
function layoutsOf(kernel: Kernel, table: VirtAddr, geometry: SparseGeometry): Layout[] {
  const { memory, vmcoreinfo, pageSize } = kernel
  const perRoot = Math.floor(pageSize / geometry.size)
  const length = vmcoreinfo.length('mem_section')
  const physicalBits = vmcoreinfo.number('MAX_PHYSMEM_BITS')
  const extreme = (address: () => VirtAddr): Layout => ({
    model: 'SPARSEMEM_EXTREME',
    tables: () => rootTables(kernel, address(), perRoot, geometry.sections),
  })
  const sections = Math.min(geometry.sections, length ?? 0)
  const plain: Layout = {
    model: 'SPARSEMEM',
    tables: () => plainTable(table, perRoot, sections, geometry.size),
  }
  const roots = [extreme(() => table), extreme(() => memory.u64(table))]
  if (length === undefined) return roots
  if (physicalBits === undefined) return [...roots, plain]
  const mostRoots = Math.ceil(2 ** (Number(physicalBits) - geometry.sectionBits) / perRoot)
  return length === mostRoots ? roots : [plain]
}

/**
 * SPARSEMEM_EXTREME: an array of pointers, each to a page of descriptions. VMCOREINFO names the array,
 * a symbol table the variable that points to it (a pointer since Linux 4.15).
 */
function* rootTables(
  { memory }: Kernel,
  address: VirtAddr,
  perRoot: number,
  sections: number,
): Iterable<SectionTable> {
  const roots = memory.bytes(address, 8 * Math.ceil(sections / perRoot))
  const view = new DataView(roots.buffer)
  for (let firstSection = 0, at = 0; firstSection < sections; firstSection += perRoot, at += 8) {
    const root = view.getBigUint64(at, memory.littleEndian)
    if (root === 0n) continue
    yield { firstSection, address: root, count: Math.min(perRoot, sections - firstSection) }
  }
}

function* plainTable(
  address: VirtAddr,
  perTable: number,
  sections: number,
  size: number,
): Iterable<SectionTable> {
  for (let firstSection = 0; firstSection < sections; firstSection += perTable) {
    const count = Math.min(perTable, sections - firstSection)
    yield { firstSection, address: address + BigInt(firstSection * size), count }
  }
}

function decodeSections(
  kernel: Kernel,
  geometry: SparseGeometry,
  tables: Iterable<SectionTable>,
): MemSection[] {
  const { memory, arch } = kernel
  const { size, mapOffset, pagesPerSection, structPageSize } = geometry
  const found: MemSection[] = []
  for (const { firstSection, address, count } of tables) {
    const bytes = memory.bytes(address, count * size)
    const view = new DataView(bytes.buffer)
    for (let i = 0; i < count; i++) {
      const map = view.getBigUint64(i * size + mapOffset, memory.littleEndian)
      if ((map & presentBit) === 0n) continue
      const firstPfn = (firstSection + i) * pagesPerSection
      // The kernel stores the address that page 0 would have, so that pfn arithmetic needs no base.
      const structPages = BigInt.asUintN(64, (map & ~flagBits) + BigInt(firstPfn) * BigInt(structPageSize))
      if (structPages < arch.lowestAddress) throw noStructPages(structPages)
      append(found, { firstPfn, endPfn: firstPfn + pagesPerSection, structPages }, structPageSize)
    }
  }
  const first = found[0]?.structPages
  if (first === undefined || !isStructPage(kernel, first)) throw noStructPages(first ?? 0n)
  return found
}

function append(sections: MemSection[], next: MemSection, structPageSize: number): void {
  const last = sections.at(-1)
  const follows =
    last !== undefined &&
    last.endPfn === next.firstPfn &&
    last.structPages + BigInt(next.firstPfn - last.firstPfn) * BigInt(structPageSize) === next.structPages
  if (follows) sections[sections.length - 1] = { ...last, endPfn: next.endPfn }
  else sections.push(next)
}

const isStructPage = ({ memory, arch }: Kernel, address: VirtAddr): boolean =>
  address >= arch.lowestAddress && memory.translate(address) !== undefined

const noStructPages = (address: VirtAddr): KernelError =>
  new KernelError(`no struct page can be at ${hex(address)}`)
