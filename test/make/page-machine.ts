// A machine of 64 MiB with real page tables, a real memory section and struct pages of a chosen era,
// opened as a kernel. Physical layout, from the start of RAM: sections at 1 MiB, page tables from 16 MiB,
// struct pages at 32 MiB.

import { BufferSource } from '../../src/core/byte-source.ts'
import { type Kernel, openKernel } from '../../src/core/kernel/kernel.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { writeVmcoreinfo } from '../../src/formats/elf/notes.ts'
import { utsname } from '../../src/formats/kdump/layout.ts'
import { makeElfCore } from './elf-core.ts'
import { type FactList, makeVmcoreinfoText } from './facts.ts'
import { GuestMemory } from './guest-memory.ts'
import type { PageEra, PageType } from './page-eras.ts'
import { PageTableBuilder } from './page-tables.ts'
import { type Platform, x86Platform } from './platforms.ts'

const MiB = 1 << 20
const memorySize = 64 * MiB
export const machinePages = memorySize / 4096
export const directMap = x86Platform.linear
/** Bytes from the start of RAM. */
export const structPagesAt = 32 * MiB
export const structPageSize = 64
const rootAt = 16 * MiB
const rootsAt = MiB
const sectionsAt = MiB + 0x1000
const textAt = 2 * MiB
const utsAt = 3 * MiB
const sectionSize = 128 * MiB

export interface PageWords {
  readonly flags?: readonly (number | undefined)[]
  readonly mapping?: bigint
  readonly mapcount?: number
  readonly refcount?: number
  readonly private?: bigint
}

export class PageMachine {
  readonly era: PageEra
  readonly platform: Platform
  readonly memory: GuestMemory
  readonly tables: PageTableBuilder
  /** Page frame number of the first page of RAM. */
  readonly firstPfn: number

  /** The memory map is mapped by 2^mapShift bytes an entry. */
  constructor(era: PageEra, platform: Platform = x86Platform, mapShift = platform.blockShift) {
    const { ramStart, linear, image, vmemmap, blockShift, utsMachine, abi } = platform
    this.era = era
    this.platform = platform
    this.firstPfn = ramStart / 4096
    this.memory = new GuestMemory([{ start: ramStart, end: ramStart + memorySize }])
    this.tables = new PageTableBuilder(this.memory, platform.geometry, ramStart + rootAt)
    for (let at = ramStart; at < ramStart + memorySize; at += 2 ** blockShift) {
      this.tables.map(linear + BigInt(at), at, blockShift)
      this.tables.map(image + BigInt(at), at, blockShift)
    }
    const name = { sysname: 'Linux', release: era.release, machine: utsMachine }
    this.memory.write(ramStart + utsAt, utsname.write(name, abi))
    // 16384 struct pages of 64 bytes are a MiB.
    for (let at = 0; at < machinePages * structPageSize; at += 2 ** mapShift) {
      this.tables.map(this.#structPage(this.firstPfn) + BigInt(at), ramStart + structPagesAt + at, mapShift)
    }
    this.memory.writeU64(ramStart + rootsAt, linear + BigInt(ramStart + sectionsAt), abi.littleEndian)
    const section = ramStart + sectionsAt + 16 * Math.floor(ramStart / sectionSize)
    this.memory.writeU64(section, vmemmap | 0x1fn, abi.littleEndian)
    this.setPage(this.firstPfn, {})
    const first = new Uint8Array(structPageSize)
    this.memory.read(ramStart + structPagesAt, first)
    const all = new Uint8Array(machinePages * structPageSize)
    for (let at = 0; at < all.length; at += structPageSize) all.set(first, at)
    this.memory.write(ramStart + structPagesAt, all)
  }

  /** Virtual address. */
  #structPage(pfn: number): bigint {
    return this.platform.vmemmap + BigInt(pfn * structPageSize)
  }

  /** Physical address of the struct page. */
  #recordAt(pfn: number): number {
    return this.platform.ramStart + structPagesAt + (pfn - this.firstPfn) * structPageSize
  }

  /** As a page that nobody uses for anything special: kernel memory. */
  setPage(pfn: number, words: PageWords): void {
    const at = this.#recordAt(pfn)
    const { littleEndian } = this.platform.abi
    const flags = (words.flags ?? []).reduce<bigint>(
      (sum, bit) => sum | (bit === undefined ? 0n : 1n << BigInt(bit)),
      0n,
    )
    this.memory.writeU64(at, flags, littleEndian)
    this.memory.writeU64(at + 8, 0n, littleEndian)
    this.memory.writeU64(at + 24, words.mapping ?? 0n, littleEndian)
    this.memory.writeU64(at + 40, words.private ?? 0n, littleEndian)
    this.memory.writeU32(at + 48, (words.mapcount ?? -1) >>> 0, littleEndian)
    this.memory.writeU32(at + 52, (words.refcount ?? 1) >>> 0, littleEndian)
  }

  /** A compound page of 2^order pages, its head with `words`. */
  setCompound(pfn: number, order: number, words: PageWords, hugetlb = false): void {
    const { flags, second, hugetlbFlag, compoundMask, types } = this.era
    const { littleEndian } = this.platform.abi
    const typed = hugetlb && types.hugetlb !== undefined ? { mapcount: types.hugetlb } : {}
    this.setPage(pfn, { ...words, ...typed, flags: [flags.head, ...(words.flags ?? [])] })
    const mask = -BigInt(structPageSize * 2 ** order)
    const head = this.#structPage(pfn)
    for (let i = 1; i < 2 ** order; i++) {
      // What 7.2 leaves in the mapping slot of the first tail.
      this.setPage(pfn + i, i === 1 ? { mapping: 0xffffffffn } : {})
      this.memory.writeU64(this.#recordAt(pfn + i) + 8, (compoundMask ? mask : head) | 1n, littleEndian)
    }
    const next = this.#recordAt(pfn + 1)
    if (second === 'dtor and order') this.memory.write(next + 16, Uint8Array.of(hugetlb ? 2 : 1, order))
    else {
      const flag = hugetlb && hugetlbFlag !== undefined ? 1n << BigInt(hugetlbFlag) : 0n
      this.memory.writeU64(next, BigInt(order) | flag, littleEndian)
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
    const { ramStart, image, linear, facts } = this.platform
    const inImage = (at: number): bigint => image + BigInt(ramStart + at)
    return {
      lines: { OSRELEASE: this.era.release, PAGESIZE: 4096, ...facts.lines },
      symbols: {
        init_uts_ns: inImage(utsAt),
        swapper_pg_dir: inImage(rootAt),
        _stext: inImage(textAt),
        mem_section: linear + BigInt(ramStart + rootsAt),
        ...facts.symbols,
      },
      numbers: { SECTION_SIZE_BITS: 27, ...facts.numbers, ...this.era.numbers },
      sizes: { page: structPageSize, mem_section: 16 },
      offsets: { 'uts_namespace.name': 0, 'mem_section.section_mem_map': 0, ...this.era.offsets },
      lengths: { 'zone.free_area': 11, ...facts.lengths },
    }
  }

  /** As the kernel's own core file. */
  elfCore(): Uint8Array {
    const { ramStart, linear, abi, elfMachine } = this.platform
    const data = new Uint8Array(memorySize)
    this.memory.read(ramStart, data)
    return makeElfCore({
      machine: elfMachine,
      littleEndian: abi.littleEndian,
      segments: [{ physical: ramStart, virtual: linear + BigInt(ramStart), data }],
      noteAreas: [writeVmcoreinfo(makeVmcoreinfoText(this.facts()), abi.littleEndian)],
    })
  }

  open(facts: FactList = this.facts()): Kernel {
    return openKernel(makeDump(this.memory, makeVmcoreinfoText(facts), this.platform))
  }
}

/** A dump that is nothing but memory and VMCOREINFO. */
export function makeDump(
  memory: GuestMemory,
  vmcoreinfo: string,
  { elfMachine, abi }: Pick<Platform, 'elfMachine' | 'abi'> = x86Platform,
): Dump {
  return {
    format: 'elf',
    container: 'file',
    paths: undefined,
    name: 'built',
    elfMachine,
    abi,
    memory,
    pageSize: undefined,
    source: new BufferSource(new Uint8Array(), 'built'),
    notes: [],
    noteBytes: new Uint8Array(),
    vmcoreinfo,
    segments: [],
    elfFlags: 0,
    eraseInfo: '',
    lost: () => ({ size: 0, ranges: [] }),
    kdump: undefined,
    warnings: [],
    [Symbol.dispose]() {},
  }
}
