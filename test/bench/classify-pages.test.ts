// A machine of 64 GiB: what the pass over its 16 million struct pages costs in reads and in memory. The
// time is printed, not judged.

import { describe, expect, it } from 'vitest'
import { GiB, MiB } from '../../src/core/address.ts'
import { classifyPages } from '../../src/core/kernel/classify-pages.ts'
import { readDumpPages } from '../../src/core/kernel/dump-pages.ts'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { makeVmcoreinfoText } from '../make/facts.ts'
import { GuestMemory } from '../make/guest-memory.ts'
import { type PageEra, pageEras } from '../make/page-eras.ts'
import { directMap, makeDump } from '../make/page-machine.ts'
import { PageTableBuilder, x86Geometry } from '../make/page-tables.ts'

const vmemmap = 0xffffea0000000000n
const structPagesAt = 512 * MiB

/** Every third page anonymous. All 512 sections share one 2 MiB page of struct pages. */
function makeLargeMachine(era: PageEra) {
  const memory = new GuestMemory([{ start: 0, end: 64 * GiB }])
  const tables = new PageTableBuilder(memory, x86Geometry(4), 16 * MiB)
  for (let at = 0; at < 64 * GiB; at += GiB) tables.map(directMap + BigInt(at), at, 30)
  for (let i = 0; i < 512; i++) {
    tables.map(vmemmap + BigInt(i * 2 * MiB), structPagesAt, 21)
    memory.writeU64(2 * MiB + i * 16, vmemmap | 0x3n)
  }
  memory.writeU64(MiB, directMap + BigInt(2 * MiB))
  memory.writeU64(MiB + 8, directMap + BigInt(2 * MiB + 4096))
  const records = new DataView(new ArrayBuffer(2 * MiB))
  for (let i = 0; i < 32768; i++) {
    records.setInt32(i * 64 + 48, -1, true)
    records.setInt32(i * 64 + 52, 1, true)
    if (i % 3 === 0) records.setBigUint64(i * 64 + 24, 0xffff888001234561n, true)
  }
  memory.write(structPagesAt, new Uint8Array(records.buffer))
  const text = makeVmcoreinfoText({
    lines: { PAGESIZE: 4096 },
    symbols: { init_top_pgt: 0xffffffff81000000n, mem_section: directMap + BigInt(MiB) },
    numbers: { phys_base: 0, SECTION_SIZE_BITS: 27, MAX_PHYSMEM_BITS: 46, ...era.numbers },
    sizes: { page: 64, mem_section: 16 },
    offsets: { 'mem_section.section_mem_map': 0, ...era.offsets },
    lengths: { mem_section: 2048, 'zone.free_area': 11 },
  })
  return { memory, kernel: openKernel(makeDump(memory, text)) }
}

describe('classifying the pages of a 64 GiB machine', () => {
  it('reads a MiB at once and keeps no object per page', () => {
    const { memory, kernel } = makeLargeMachine(pageEras.at(-1) as PageEra)
    const pages = readDumpPages(memory, kernel.pageSize)
    const readsBefore = memory.reads
    const heapBefore = process.memoryUsage().heapUsed
    const started = performance.now()
    const { counts, seen } = classifyPages(kernel, { level: 31, pages })
    console.log(`${seen.examined} struct pages in ${Math.round(performance.now() - started)} ms`)
    expect(seen.examined).toBe(2 ** 24)
    // In each section of 32768 pages, 10923 have a number divisible by three.
    expect(counts.user).toBe(512 * 10923)
    // 1024 pieces, 2 roots and their array, a handful of page tables.
    expect(memory.reads - readsBefore).toBeLessThan(1024 + 16)
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(16 * MiB)
  })
})
