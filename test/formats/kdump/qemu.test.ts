// What QEMU and virsh write as kdump-zlib: a flattened stream whose header does not name the kernel. The
// judge is the ELF dump that QEMU made of the same halted guest.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { elfMachines } from '../../../src/core/arch/elf-machines.ts'
import { BufferSource } from '../../../src/core/byte-source.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { openSource } from '../../../src/formats/index.ts'
import { filterBytes } from '../../make/filtered.ts'

const unpack = (name: string): Uint8Array =>
  brotliDecompressSync(readFileSync(join(import.meta.dirname, `../../fixtures/qemu/${name}.br`)))
const open = (bytes: Uint8Array): Dump => openSource(new BufferSource(bytes, 'qemu'))

/** All pages that are there as Latin-1 text, which compares fast, by their page frame. */
function contents({ memory }: Dump): ReadonlyMap<number, string> {
  const pages = new Map<number, string>()
  for (const { start, end } of memory.storedPages(4096).runs()) {
    for (let pfn = start; pfn < end; pfn++) {
      const page = Buffer.alloc(4096)
      memory.read(pfn * 4096, page)
      pages.set(pfn, page.toString('latin1'))
    }
  }
  return pages
}

const kdump = unpack('kdump-zlib')
const elf = unpack('elf')

describe('a kdump file by QEMU', () => {
  it('has the memory, the notes and the machine of its ELF dump', () => {
    using ours = open(kdump)
    using theirs = open(elf)
    expect(ours).toMatchObject({
      format: 'kdump',
      container: 'flattened',
      elfMachine: elfMachines.x86_64,
      pageSize: 4096,
      warnings: [],
      kdump: { headerVersion: 6, cpuCount: 2, utsname: { sysname: '', release: '', machine: 'x86_64' } },
    })
    expect(ours.memory.ranges).toEqual(theirs.memory.ranges)
    expect(Buffer.compare(ours.noteBytes, theirs.noteBytes)).toBe(0)
    expect(contents(ours)).toEqual(contents(theirs))
    // (di & 0xff00) + segment, as the guest's firmware stored it.
    expect(contents(ours).get(0x21)?.slice(0x100, 0x104)).toBe('\0\x31\0\x31')
  })

  it.each(['kdump', 'elf'] as const)('is filtered into %s with nothing lost', async (format) => {
    const { result, dump } = await filterBytes(kdump, { format, level: 1, codec: 'zlib' })
    using _ = dump
    expect(result).toMatchObject({ incomplete: false, pages: { existing: 272, lost: 0 } })
    using theirs = open(elf)
    const zero = '\0'.repeat(4096)
    const all = contents(dump)
    for (const [pfn, page] of contents(theirs)) {
      expect(all.get(pfn) ?? zero, `page frame ${pfn}`).toBe(page)
    }
  })

  it('that broke off has the pages before the break', () => {
    using dump = open(kdump)
    const whole = contents(dump)
    using cut = open(kdump.subarray(0, kdump.length - 4500))
    expect(new Set(cut.warnings.map(({ code }) => code))).toEqual(new Set(['TRUNCATED']))
    const pages = contents(cut)
    expect(pages.size).toBeGreaterThan(0)
    expect(cut.lost().size).toBe((272 - pages.size) * 4096)
    for (const [pfn, page] of pages) expect(page).toBe(whole.get(pfn))
  })
})
