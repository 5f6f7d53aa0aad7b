// From kdump to ELF, which makedumpfile cannot, and back: the field's programs find in the ELF file what
// they find in the kdump file.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filterToFile } from '../../src/core/filter/output.ts'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')

async function toElf(): Promise<string> {
  const output = join(makeFolder(), 'vmcore.elf')
  using dump = openDump(source)
  await filterToFile(dump, output, { format: 'elf', level: 0 })
  return output
}

describeWithJudge('makedumpfile', 'a kdump file as ELF, for makedumpfile', () => {
  it('has the page tables of the kernel, and all pages that are not zero', async () => {
    const elf = await toElf()
    // It follows the page tables to the struct pages: levels above 1 would fail without them.
    runJudge('makedumpfile', ['-d', '31', elf, `${elf}.kdump`])
    runJudge('makedumpfile', ['-d', '31', source, `${elf}.original`])
    using original = openDump(`${elf}.original`)
    using filtered = openDump(`${elf}.kdump`)
    const kept = filtered.memory.storedPages(4096)
    const page = new Uint8Array(4096)
    const stored = original.memory.storedPages(4096)
    for (const { start, end } of stored.runs()) {
      for (let pfn = start; pfn < end; pfn++) {
        original.memory.read(pfn * 4096, page)
        if (page.every((byte) => byte === 0)) continue
        expect(kept.has(pfn), `page ${pfn}`).toBe(true)
      }
    }
    // Of zero pages only long runs are left out of an ELF file; nothing else was added.
    expect(Buffer.compare(kept.and(stored).bytes, kept.bytes)).toBe(0)
  })
})

describeWithJudge('gdb', 'a kdump file as ELF, for gdb', () => {
  it('has kernel memory at the addresses that the kernel used', async () => {
    const elf = await toElf()
    using dump = openDump(source)
    const { memory, vmcoreinfo } = openKernel(dump)
    // Where the kernel itself points: the first root of mem_section, in the direct map.
    const pointer = vmcoreinfo.symbol('mem_section') as bigint
    const shown = runJudge('gdb', ['-q', '-batch', '-ex', `core-file ${elf}`, '-ex', `x/gx ${pointer}`])
    expect(shown.toString()).toContain(`0x${memory.u64(pointer).toString(16).padStart(16, '0')}`)
    expect(pointer).toBeGreaterThan(0xffff_8000_0000_0000n)
    expect(pointer).toBeLessThan(0xffff_ffff_8000_0000n)
  })
})
