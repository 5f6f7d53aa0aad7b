// A whole kernel in a MiB: page tables, struct pages of every kind, a log, its name. Small enough to be
// damaged and read again a hundred thousand times.

import { abi64le } from '../../src/core/struct.ts'
import { writeNote } from '../../src/formats/elf/notes.ts'
import { utsname } from '../../src/formats/kdump/layout.ts'
import { type MadeSegment, makePrstatus } from '../make/elf-core.ts'
import { makeVmcoreinfoText } from '../make/facts.ts'
import { GuestMemory } from '../make/guest-memory.ts'
import { kernelBase } from '../make/kernel-memory.ts'
import { makeLogRecords } from '../make/log-records.ts'
import { makeLogRing } from '../make/log-ring.ts'
import type { PageEra } from '../make/page-eras.ts'
import { PageTableBuilder, x86Geometry } from '../make/page-tables.ts'
import { samplePage } from '../make/sample-page.ts'

const size = 0x100000
const pageSize = 4096
const root = 0x40000
const [roots, sections, utsAt, structPagesAt, logAt] = [0x1000, 0x2000, 0x3000, 0x8000, 0x10000]
const image = 0xffffffff80000000n
const directMap = 0xffff888000000000n
const vmemmap = 0xffffea0000000000n
const anonVma = 0xffff888000012340n

export interface FuzzKernel {
  /** Stretches that hold something, by their address. */
  readonly segments: readonly (MadeSegment & { readonly virtual: bigint })[]
  /** NT_PRSTATUS of two CPUs and VMCOREINFO. */
  readonly notes: Uint8Array
}

export function makeFuzzKernel(era: PageEra, log: 'ring' | 'records'): FuzzKernel {
  const memory = new GuestMemory([{ start: 0, end: size }])
  const made = log === 'ring' ? makeLogRing(messages) : makeLogRecords(messages)
  memory.write(logAt, made.bytes)
  memory.write(
    utsAt,
    utsname.write({ sysname: 'Linux', nodename: 'fuzz', release: era.release, machine: 'x86_64' }, abi64le),
  )
  memory.writeU64(roots, directMap + BigInt(sections))
  memory.writeU64(sections, vmemmap | 0x1fn)
  mapKernel(memory, made.bytes.length)
  writeStructPages(memory, era)
  for (const at of [0x20000, 0x21000, 0x38000]) memory.write(at, samplePage())
  const text = vmcoreinfo(era) + made.vmcoreinfo.text
  const notes = [makePrstatus(336), makePrstatus(336), writeNote('VMCOREINFO', 0, Buffer.from(text), true)]
  return { segments: segmentsOf(memory), notes: Buffer.concat(notes) }
}

const messages = [
  'Linux version 7.2.0 (fuzz@fuzz)',
  'Command line: root=/dev/vda fadump=on',
  'two\nlines',
  'sysrq: Trigger a crash',
  'Kernel panic - not syncing: sysrq triggered crash',
  'CPU: 1 UID: 0 PID: 71 Comm: sh Not tainted 7.2.0 #1',
].map((text, i) => ({ text, timeNs: BigInt(i) * 1_000_000n, callerId: i }))

function mapKernel(memory: GuestMemory, logSize: number): void {
  const tables = new PageTableBuilder(memory, x86Geometry(4), root)
  tables.map(directMap, 0, 30)
  tables.map(image, 0, 21)
  for (let at = 0; at < 256 * 64; at += pageSize) tables.map(vmemmap + BigInt(at), structPagesAt + at, 12)
  for (let at = 0; at < logSize; at += pageSize) tables.map(kernelBase + BigInt(at), logAt + at, 12)
}

function writeStructPages(memory: GuestMemory, era: PageEra): void {
  const view = new DataView(new ArrayBuffer(256 * 64))
  const { flags, types } = era
  const record = (
    pfn: number,
    words: { flags?: number; mapping?: bigint; mapcount?: number; order?: number },
  ) => {
    view.setUint32(pfn * 64, words.flags ?? 0, true)
    view.setBigUint64(pfn * 64 + 24, words.mapping ?? 0n, true)
    view.setBigUint64(pfn * 64 + 40, BigInt(words.order ?? 0), true)
    view.setInt32(pfn * 64 + 48, words.mapcount ?? -1, true)
    view.setInt32(pfn * 64 + 52, 1, true)
  }
  for (let pfn = 0; pfn < 256; pfn++) record(pfn, {})
  for (let pfn = 32; pfn < 56; pfn++)
    record(pfn, { flags: 1 << flags.lru, mapping: anonVma | 1n, mapcount: 0 })
  for (let pfn = 56; pfn < 64; pfn++) record(pfn, { flags: 1 << flags.lru, mapping: anonVma })
  record(144, { mapcount: types.buddy ?? -1, order: 4 })
  record(160, { flags: (1 << flags.head) | (1 << flags.lru), mapping: anonVma | 1n, mapcount: 0 })
  const head = era.compoundMask ? -BigInt(64 * 8) : vmemmap + 160n * 64n
  for (let pfn = 161; pfn < 168; pfn++) view.setBigInt64(pfn * 64 + 8, BigInt.asIntN(64, head | 1n), true)
  if (era.second === 'order in flags') view.setUint32(161 * 64, 3, true)
  else view.setUint16(161 * 64 + 16, 0x0301, true)
  memory.write(structPagesAt, new Uint8Array(view.buffer))
}

const vmcoreinfo = (era: PageEra): string =>
  makeVmcoreinfoText({
    lines: { OSRELEASE: era.release, PAGESIZE: pageSize, CRASHTIME: 1795447228, KERNELOFFSET: 0 },
    symbols: {
      init_uts_ns: image + BigInt(utsAt),
      swapper_pg_dir: image + BigInt(root),
      init_top_pgt: image + BigInt(root),
      _stext: image + BigInt(utsAt),
      mem_section: directMap + BigInt(roots),
    },
    numbers: {
      phys_base: 0,
      pgtable_l5_enabled: 0,
      SECTION_SIZE_BITS: 27,
      MAX_PHYSMEM_BITS: 46,
      ...era.numbers,
    },
    sizes: { page: 64, mem_section: 16 },
    offsets: { 'uts_namespace.name': 0, 'mem_section.section_mem_map': 0, ...era.offsets },
    lengths: { mem_section: 2048, 'zone.free_area': 11 },
  })

/** Pages that hold something, and after them zeros that were left out, up to the next. */
function segmentsOf(memory: GuestMemory): FuzzKernel['segments'] {
  const all = new Uint8Array(size)
  memory.read(0, all)
  const isUsed = (at: number): boolean => all.subarray(at, at + pageSize).some((byte) => byte !== 0)
  const segments: { physical: number; data: Uint8Array; memorySize: number; virtual: bigint }[] = []
  for (let at = 0; at < size; ) {
    const start = at
    while (at < size && isUsed(at)) at += pageSize
    const data = all.subarray(start, at)
    while (at < size && !isUsed(at)) at += pageSize
    segments.push({ physical: start, data, memorySize: at - start, virtual: directMap + BigInt(start) })
  }
  return segments
}
