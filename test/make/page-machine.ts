// An x86_64 machine of 64 MiB with real page tables, a real memory section and struct pages of a
// chosen era, opened as a kernel. Physical layout: page tables from 16 MiB, sections at 1 MiB, struct
// pages at 32 MiB.

import { BufferSource } from '../../src/core/byte-source.ts'
import { type Kernel, openKernel } from '../../src/core/kernel/kernel.ts'
import { abi64le } from '../../src/core/struct.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { writeNote } from '../../src/formats/elf/notes.ts'
import { utsname } from '../../src/formats/kdump/layout.ts'
import { makeElfCore } from './elf-core.ts'
import { type FactList, makeVmcoreinfoText } from './facts.ts'
import { GuestMemory } from './guest-memory.ts'
import type { PageEra, PageType } from './page-eras.ts'
import { PageTableBuilder, x86Geometry } from './page-tables.ts'

const MiB = 1 << 20
export const machinePages = (64 * MiB) / 4096
const root = 16 * MiB
const image = 0xffffffff80000000n
export const directMap = 0xffff888000000000n
const vmemmap = 0xffffea0000000000n
export const structPagesAt = 32 * MiB
export const structPageSize = 64
const roots = MiB
const sections = MiB + 0x1000
const utsAt = 2 * MiB

export interface PageWords {
  readonly flags?: readonly (number | undefined)[]
  readonly mapping?: bigint
  readonly mapcount?: number
  readonly refcount?: number
  readonly private?: bigint
}

export class PageMachine {
  readonly era: PageEra
  readonly memory = new GuestMemory([{ start: 0, end: 64 * MiB }])
  readonly tables: PageTableBuilder

  constructor(era: PageEra) {
    this.era = era
    this.tables = new PageTableBuilder(this.memory, x86Geometry(4), root)
    for (let at = 0; at < 64 * MiB; at += 2 * MiB) this.tables.map(directMap + BigInt(at), at, 21)
    for (let at = 0; at < 64 * MiB; at += 2 * MiB) this.tables.map(image + BigInt(at), at, 21)
    this.memory.write(
      utsAt,
      utsname.write({ sysname: 'Linux', release: era.release, machine: 'x86_64' }, abi64le),
    )
    // One section of 128 MiB: 32768 struct pages of 64 bytes are one huge page.
    this.tables.map(vmemmap, structPagesAt, 21)
    this.memory.writeU64(roots, directMap + BigInt(sections))
    this.memory.writeU64(sections, vmemmap | 0x1fn)
    this.setPage(0, {})
    const first = new Uint8Array(structPageSize)
    this.memory.read(structPagesAt, first)
    const all = new Uint8Array(machinePages * structPageSize)
    for (let at = 0; at < all.length; at += structPageSize) all.set(first, at)
    this.memory.write(structPagesAt, all)
  }

  /** As a page that nobody uses for anything special: kernel memory. */
  setPage(pfn: number, words: PageWords): void {
    const at = structPagesAt + pfn * structPageSize
    const flags = (words.flags ?? []).reduce<bigint>(
      (sum, bit) => sum | (bit === undefined ? 0n : 1n << BigInt(bit)),
      0n,
    )
    this.memory.writeU64(at, flags)
    this.memory.writeU64(at + 8, 0n)
    this.memory.writeU64(at + 24, words.mapping ?? 0n)
    this.memory.writeU64(at + 40, words.private ?? 0n)
    this.memory.writeU32(at + 48, (words.mapcount ?? -1) >>> 0)
    this.memory.writeU32(at + 52, (words.refcount ?? 1) >>> 0)
  }

  /** A compound page of 2^order pages, its head with `words`. */
  setCompound(pfn: number, order: number, words: PageWords, hugetlb = false): void {
    const { flags, second, hugetlbFlag, compoundMask, types } = this.era
    const typed = hugetlb && types.hugetlb !== undefined ? { mapcount: types.hugetlb } : {}
    this.setPage(pfn, { ...words, ...typed, flags: [flags.head, ...(words.flags ?? [])] })
    const mask = -BigInt(structPageSize * 2 ** order)
    const head = vmemmap + BigInt(pfn * structPageSize)
    for (let i = 1; i < 2 ** order; i++) {
      // What 7.2 leaves in the mapping slot of the first tail.
      this.setPage(pfn + i, i === 1 ? { mapping: 0xffffffffn } : {})
      const tail = structPagesAt + (pfn + i) * structPageSize
      this.memory.writeU64(tail + 8, (compoundMask ? mask : head) | 1n)
    }
    const next = structPagesAt + (pfn + 1) * structPageSize
    if (second === 'dtor and order') this.memory.write(next + 16, Uint8Array.of(hugetlb ? 2 : 1, order))
    else {
      const flag = hugetlb && hugetlbFlag !== undefined ? 1n << BigInt(hugetlbFlag) : 0n
      this.memory.writeU64(next, BigInt(order) | flag)
    }
  }

  setFree(pfn: number, order: number): void {
    this.setPage(pfn, { mapcount: this.typeOf('buddy'), private: BigInt(order), refcount: 0 })
    for (let i = 1; i < 2 ** order; i++) this.setPage(pfn + i, { refcount: 0 })
  }

  typeOf(type: PageType): number {
    const value = this.era.types[type]
    if (value === undefined) throw new Error(`${this.era.name} has no type ${type}`)
    return value
  }

  facts(): FactList {
    return {
      lines: { OSRELEASE: this.era.release, PAGESIZE: 4096 },
      symbols: {
        init_uts_ns: image + BigInt(utsAt),
        swapper_pg_dir: image + BigInt(root),
        init_top_pgt: image + BigInt(root),
        _stext: image + BigInt(2 * MiB),
        mem_section: directMap + BigInt(roots),
      },
      numbers: {
        phys_base: 0,
        pgtable_l5_enabled: 0,
        SECTION_SIZE_BITS: 27,
        MAX_PHYSMEM_BITS: 46,
        ...this.era.numbers,
      },
      sizes: { page: structPageSize, mem_section: 16 },
      offsets: { 'uts_namespace.name': 0, 'mem_section.section_mem_map': 0, ...this.era.offsets },
      lengths: { mem_section: 2048, 'zone.free_area': 11 },
    }
  }

  /** As the kernel's own core file. */
  elfCore(): Uint8Array {
    const data = new Uint8Array(64 * MiB)
    this.memory.read(0, data)
    const text = Buffer.from(makeVmcoreinfoText(this.facts()))
    return makeElfCore({
      segments: [{ physical: 0, virtual: directMap, data }],
      noteAreas: [writeNote('VMCOREINFO', 0, text, true)],
    })
  }

  open(facts: FactList = this.facts()): Kernel {
    return openKernel(makeDump(this.memory, makeVmcoreinfoText(facts)))
  }
}

/** A dump that is nothing but memory and VMCOREINFO. */
export function makeDump(memory: GuestMemory, vmcoreinfo: string): Dump {
  return {
    format: 'elf',
    container: 'file',
    paths: undefined,
    name: 'built',
    elfMachine: 62,
    abi: abi64le,
    memory,
    pageSize: undefined,
    source: new BufferSource(new Uint8Array(), 'built'),
    notes: [],
    noteBytes: new Uint8Array(),
    vmcoreinfo,
    segments: [],
    elfFlags: 0,
    eraseInfo: '',
    kdump: undefined,
    warnings: [],
    [Symbol.dispose]() {},
  }
}
