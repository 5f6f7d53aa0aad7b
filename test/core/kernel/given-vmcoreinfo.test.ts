import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { planFilter } from '../../../src/core/filter/plan.ts'
import { readVmcoreinfoFile, withGivenVmcoreinfo } from '../../../src/core/kernel/given-vmcoreinfo.ts'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { findVmcoreinfo, parseNotes } from '../../../src/formats/elf/notes.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { makeFolder } from '../../make/folder.ts'
import { vmcoreinfoText } from '../../make/vmcoreinfo-text.ts'

const open = (): Dump => openDump(fixture('x86_64-7.2-small/vmcore'))
const without = (dump: Dump): Dump => ({
  ...dump,
  vmcoreinfo: undefined,
  notes: [],
  noteBytes: new Uint8Array(0),
})
const given = (text: string) => ({ file: 'info', text })
const remove = (text: string, keys: RegExp): string =>
  text
    .split('\n')
    .filter((line) => !keys.test(line))
    .join('\n')

describe('VMCOREINFO from a file', () => {
  it('is as good as the note, and the output has it as its note', () => {
    using dump = open()
    const bare = withGivenVmcoreinfo(without(dump), given(dump.vmcoreinfo ?? ''))
    expect(planFilter(bare, { level: 31 }).counts).toEqual(planFilter(dump, { level: 31 }).counts)
    expect(findVmcoreinfo(parseNotes(bare.noteBytes, true, 'notes'))).toBe(dump.vmcoreinfo)
    expect(bare.notes).toHaveLength(1)
  })

  it('fills in what the note lacks, at the addresses where the kernel runs', () => {
    using dump = open()
    const { vmcoreinfo: text, noteBytes, notes } = dump
    const made = vmcoreinfoText(openKernel(dump))
    const poor = { ...dump, vmcoreinfo: remove(text ?? '', /page\.|PG_|PAGE_\w+_MAPCOUNT|prb|init_uts/) }
    const rich = withGivenVmcoreinfo(poor, given(made))
    expect(planFilter(rich, { level: 31 }).counts).toEqual(planFilter(dump, { level: 31 }).counts)
    const { vmcoreinfo } = openKernel(rich)
    expect(vmcoreinfo.symbol('prb')).toBe(openKernel(dump).vmcoreinfo.symbol('prb'))
    expect(vmcoreinfo.kernelOffset).not.toBe(0n)
    // The other notes, registers among them, stay what they are.
    expect(rich.notes.filter(({ name }) => name !== 'VMCOREINFO')).toEqual(
      notes
        .filter(({ name }) => name !== 'VMCOREINFO')
        .map((note) => ({ ...note, descOffset: expect.any(Number) })),
    )
    expect(Buffer.from(noteBytes).equals(rich.noteBytes)).toBe(false)
  })

  it('that tells nothing new changes nothing', () => {
    using dump = open()
    expect(withGivenVmcoreinfo(dump, given(dump.vmcoreinfo ?? ''))).toBe(dump)
  })

  it('of another kernel is refused', () => {
    using dump = open()
    const other = (dump.vmcoreinfo ?? '').replace(/^OSRELEASE=.*/, 'OSRELEASE=6.6.6')
    expect(() => withGivenVmcoreinfo(dump, given(other))).toThrow(
      /^info is of Linux 6\.6\.6, and the dump of 7\.2/,
    )
    expect(() => withGivenVmcoreinfo(without(dump), given(other))).toThrow('and the dump of 7.2')
    const moved = (dump.vmcoreinfo ?? '').replace(
      /^SYMBOL\(init_uts_ns\)=.*$/m,
      'SYMBOL(init_uts_ns)=ffffffff80001000',
    )
    expect(() => withGivenVmcoreinfo(without(dump), given(moved))).toThrow(
      "the kernel's name is not in the dump",
    )
  })

  it.each([
    ['nothing', ''],
    ['an ELF file', '\x7fELF'],
    ['other text', 'PAGESIZE=4096\n'],
  ])('is not %s', (_, text) => {
    const file = join(makeFolder(), 'info')
    writeFileSync(file, text)
    expect(() => readVmcoreinfoFile(file)).toThrow(/VMCOREINFO/)
    expect(() => readVmcoreinfoFile(`${file}.not`)).toThrow('cannot be read')
  })
})
