// Writes a large vmcore for the benchmark: an x86_64 ELF core of a machine of many GiB with page tables,
// memory sections and one struct page a page, which makedumpfile filters as we do. Kinds of pages come in
// runs as on real machines, a tenth of them kernel memory; page contents are those of real kernels.

import { closeSync, openSync, writeSync } from 'node:fs'
import { GiB, MiB } from '../../src/core/address.ts'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { abi64le } from '../../src/core/struct.ts'
import { writeNote } from '../../src/formats/elf/notes.ts'
import { writeElfHead } from '../../src/formats/elf/writer.ts'
import { openDump } from '../../src/formats/index.ts'
import { utsname } from '../../src/formats/kdump/layout.ts'
import { fixture } from '../fixtures/index.ts'
import { makeVmcoreinfoText } from '../make/facts.ts'
import { GuestMemory } from '../make/guest-memory.ts'
import { type PageEra, pageEras } from '../make/page-eras.ts'
import { PageTableBuilder, x86Geometry } from '../make/page-tables.ts'

const pageSize = 4096
const directMap = 0xffff888000000000n
const image = 0xffffffff80000000n
const vmemmap = 0xffffea0000000000n
/** Where things lie, bytes of physical memory. */
const at = { roots: MiB, sections: MiB + pageSize, uts: 2 * MiB, tables: 16 * MiB, structPages: 32 * MiB }
const structPageSize = 64
/** Such as every makedumpfile in use knows. */
const era = pageEras.find(({ name }) => name === '5.1 to 6.2') as PageEra
const pagesPerSection = 32768
/** The kernel's image in the real dumps, from its first instruction: less than that. */
const imageBytes = 48 * MiB

export interface BenchDump {
  /** Memory of the machine: whole MiB, 64 of them or more. */
  readonly bytes: number
  /** Pages that a filter leaves out are holes of the file: for large machines on small disks. */
  readonly sparse?: boolean
}

export interface MadeDump {
  readonly pages: number
  /** Pages that -d 31 keeps, zero ones included. */
  readonly kept: number
}

type Kind = 'kernel' | 'slab' | 'free' | 'cache' | 'anon'

/**
 * Share of the pages outside the kernel's own area, mean length of a run, and how many pages of a hundred
 * have contents that pack as badly as programs do: so that all together packs as a real machine's memory.
 */
const mix: readonly {
  readonly kind: Kind
  readonly share: number
  readonly run: number
  readonly dense: number
}[] = [
  { kind: 'kernel', share: 0.034, run: 3, dense: 40 },
  { kind: 'slab', share: 0.05, run: 6, dense: 10 },
  { kind: 'free', share: 0.2, run: 0, dense: 50 },
  { kind: 'cache', share: 0.38, run: 24, dense: 80 },
  { kind: 'anon', share: 0.336, run: 40, dense: 50 },
]

/** Always the same file for the same options. */
export function makeBenchDump(path: string, { bytes, sparse = false }: BenchDump): MadeDump {
  // Two, so that holes do not change which pages there are.
  const random = makeRandom(1)
  const choose = makeRandom(2)
  const pool = readPool()
  const pages = bytes / pageSize
  const ownPages = Math.ceil((at.structPages + pages * structPageSize) / pageSize)
  const memory = makeKernel(bytes)
  const head = writeElfHead({
    machine: 62,
    littleEndian: true,
    flags: 0,
    notes: writeNote('VMCOREINFO', 0, Buffer.from(makeVmcoreinfoText(facts)), true),
    loads: [
      {
        flags: 7,
        virtual: directMap,
        physical: 0,
        memorySize: bytes,
        fileSize: bytes,
        dataOffset: 0,
      },
    ],
  })
  const dataAt = Math.ceil(head.length / pageSize) * pageSize
  // p_offset of the one PT_LOAD: the data begins on a page.
  new DataView(head.buffer, head.byteOffset).setBigUint64(64 + 56 + 8, BigInt(dataAt), true)
  const file = openSync(path, 'w', 0o600)
  try {
    writeSync(file, head, 0, head.length, 0)
    const structPages = new StructPages(file, dataAt + at.structPages)
    let kept = 0
    const writer = new RunWriter(file, dataAt)
    for (let pfn = 0; pfn < pages; ) {
      const { kind, length, order, dense } = pfn < ownPages ? own(ownPages - pfn) : next(random, pfn, pages)
      structPages.add(kind, length, order)
      const isKept = kind === 'kernel' || kind === 'slab'
      if (isKept) kept += length
      for (let i = 0; i < length; i++, pfn++) {
        const isOwn = pfn < ownPages
        if (isOwn || (sparse && !isKept)) continue
        const contents = choose() * 100 < dense ? pool.image : pool.data
        writer.write(pfn, contents[Math.floor(choose() * contents.length)] as Uint8Array)
      }
    }
    writer.flush()
    structPages.flush()
    const page = new Uint8Array(pageSize)
    for (let pfn = 0; pfn < at.structPages / pageSize; pfn++) {
      memory.read(pfn * pageSize, page)
      if (page.some((byte) => byte !== 0)) writeSync(file, page, 0, pageSize, dataAt + pfn * pageSize)
    }
    // The last page exists even where it is a hole.
    writeSync(file, new Uint8Array(1), 0, 1, dataAt + bytes - 1)
    return { pages, kept }
  } finally {
    closeSync(file)
  }
}

interface Run {
  readonly kind: Kind
  readonly length: number
  /** Of a free block. */
  readonly order: number
  readonly dense: number
}

const own = (length: number): Run => ({ kind: 'kernel', length, order: 0, dense: 0 })

/** Shares are of pages, so a kind with long runs is chosen less often. */
const weights = mix.map(({ share, run }) => share / (run || 8))
const weightSum = weights.reduce((sum, weight) => sum + weight)

function next(random: () => number, pfn: number, end: number): Run {
  let left = random() * weightSum
  let i = 0
  while (i < mix.length - 1 && left >= (weights[i] as number)) left -= weights[i++] as number
  const { kind, run, dense } = mix[i] as (typeof mix)[number]
  if (kind !== 'free') {
    const length = Math.max(1, Math.round(-Math.log(1 - random()) * run))
    return { kind, length: Math.min(length, end - pfn), order: 0, dense }
  }
  let order = Math.floor(random() * 6)
  while (order > 0 && (pfn % 2 ** order !== 0 || pfn + 2 ** order > end)) order--
  return { kind, length: 2 ** order, order, dense }
}

/** mulberry32 */
function makeRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Pool {
  /** Text and constants of the kernel. */
  readonly image: Uint8Array[]
  /** Slab, struct pages, page tables, stacks: what a machine has the more of, the more memory it has. */
  readonly data: Uint8Array[]
}

const zeros = Buffer.alloc(pageSize)
const blank = Buffer.alloc(pageSize, 0x5a)

/** Pages of 4 KiB that -d 31 keeps of two real kernels. */
function readPool(): Pool {
  const pool: Pool = { image: [], data: [] }
  for (const name of ['x86_64-7.2-small/vmcore', 'arm64-7.2-debian/vmcore'] as const) {
    using dump = openDump(fixture(name))
    const { memory, vmcoreinfo } = openKernel(dump)
    const text = memory.translate(vmcoreinfo.symbol('_stext') as bigint) as number
    const stored = dump.memory.storedPages(pageSize)
    for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1)) {
      const page = Buffer.alloc(pageSize)
      dump.memory.read(pfn * pageSize, page)
      const isImage = pfn * pageSize >= text && pfn * pageSize < text + imageBytes
      // Pages that a filter leaves out are blanked in these files.
      if (!page.equals(zeros) && !page.equals(blank)) (isImage ? pool.image : pool.data).push(page)
    }
  }
  return pool
}

function makeKernel(bytes: number): GuestMemory {
  const memory = new GuestMemory([{ start: 0, end: bytes }])
  const sections = Math.ceil(bytes / pageSize / pagesPerSection)
  const tables = new PageTableBuilder(memory, x86Geometry(4), at.tables)
  for (let start = 0; start < bytes; start += GiB) tables.map(directMap + BigInt(start), start, 30)
  for (let i = 0; i < 16; i++) tables.map(image + BigInt(i * 2 * MiB), i * 2 * MiB, 21)
  for (let i = 0; i < sections; i++) {
    tables.map(vmemmap + BigInt(i * 2 * MiB), at.structPages + i * 2 * MiB, 21)
    // Encoded: the struct pages of section i stand at vmemmap for all sections.
    memory.writeU64(at.sections + i * 16, vmemmap | 0x1fn)
  }
  for (let i = 0; i * 256 < sections; i++) {
    memory.writeU64(at.roots + i * 8, directMap + BigInt(at.sections + i * pageSize))
  }
  memory.write(
    at.uts,
    utsname.write(
      { sysname: 'Linux', nodename: 'bench', release: era.release, version: '#1', machine: 'x86_64' },
      abi64le,
    ),
  )
  return memory
}

const facts = {
  lines: { OSRELEASE: era.release, PAGESIZE: pageSize },
  symbols: {
    init_uts_ns: image + BigInt(at.uts),
    swapper_pg_dir: image + BigInt(at.tables),
    init_top_pgt: image + BigInt(at.tables),
    _stext: image + BigInt(2 * MiB),
    mem_section: directMap + BigInt(at.roots),
  },
  numbers: {
    phys_base: 0,
    pgtable_l5_enabled: 0,
    SECTION_SIZE_BITS: 27,
    MAX_PHYSMEM_BITS: 46,
    ...era.numbers,
  },
  sizes: { page: structPageSize, mem_section: 16 },
  offsets: { 'uts_namespace.name': 0, 'mem_section.section_mem_map': 0, ...era.offsets },
  lengths: { mem_section: 2048, 'zone.free_area': 11 },
}

/** Struct pages in the order of page frames, on their way to the file. */
class StructPages {
  readonly #file: number
  readonly #bytes = new Uint8Array(pagesPerSection * structPageSize)
  readonly #view = new DataView(this.#bytes.buffer)
  #used = 0
  #at: number

  constructor(file: number, start: number) {
    this.#file = file
    this.#at = start
  }

  add(kind: Kind, length: number, order: number): void {
    for (let i = 0; i < length; i++) this.#addOne(kind, i, order)
  }

  flush(): void {
    writeSync(this.#file, this.#bytes, 0, this.#used, this.#at)
    this.#at += this.#used
    this.#used = 0
  }

  #addOne(kind: Kind, i: number, order: number): void {
    const { flags, types } = era
    const from = this.#used
    this.#bytes.fill(0, from, from + structPageSize)
    const isUsed = kind !== 'free'
    this.#view.setInt32(from + 48, -1, true)
    this.#view.setInt32(from + 52, isUsed ? 1 : 0, true)
    if (kind === 'slab') this.#view.setUint32(from, 2 ** (flags.slab as number), true)
    if (kind === 'free' && i === 0) {
      this.#view.setInt32(from + 48, types.buddy as number, true)
      this.#view.setInt32(from + 40, order, true)
    }
    if (kind === 'cache' || kind === 'anon') {
      const bits = kind === 'cache' ? 2 ** flags.lru : 2 ** flags.lru + 2 ** flags.swapBacked
      this.#view.setUint32(from, bits, true)
      this.#view.setBigUint64(from + 24, directMap + 0x1234560n + (kind === 'anon' ? 1n : 0n), true)
      this.#view.setUint32(from + 32, from & 0xffff, true)
    }
    this.#used += structPageSize
    if (this.#used === this.#bytes.length) this.flush()
  }
}

/** Pages that follow each other, a MiB at a time. */
class RunWriter {
  readonly #file: number
  readonly #start: number
  readonly #bytes = new Uint8Array(MiB)
  #first = 0
  #count = 0

  constructor(file: number, start: number) {
    this.#file = file
    this.#start = start
  }

  write(pfn: number, page: Uint8Array): void {
    if (pfn !== this.#first + this.#count || this.#count * pageSize === this.#bytes.length) {
      this.flush()
      this.#first = pfn
    }
    this.#bytes.set(page, this.#count++ * pageSize)
  }

  flush(): void {
    writeSync(this.#file, this.#bytes, 0, this.#count * pageSize, this.#start + this.#first * pageSize)
    this.#count = 0
  }
}
