// Our tables of file structures and a C compiler's idea of the same structs, for every ABI.

import { expect, it } from 'vitest'
import type { Abi, Layout } from '../../src/core/struct.ts'
import {
  elfAbi,
  elfHeader,
  programHeader32,
  programHeader64,
  sectionHeader,
} from '../../src/formats/elf/layout.ts'
import { kdumpAbi, kdumpHeader, pageDescriptor, subHeader } from '../../src/formats/kdump/layout.ts'
import { describeWithJudge, runJudge } from './judge.ts'

/** Offsets of members and the size of a struct, as gcc puts them into assembly. */
function askGcc(
  flags: readonly string[],
  declarations: string,
  type: string,
  members: readonly string[],
): number[] {
  const values = [...members.map((member) => `offsetof(${type}, ${member})`), `sizeof(${type})`]
  // Never 0, which gcc would write in another way.
  const lines = values.map((value, i) => `const unsigned value${i} = ${value} + 1;`)
  const source = `#include <stddef.h>\n#include <stdint.h>\n${declarations}\n${lines.join('\n')}\n`
  const assembly = runJudge(
    'gcc',
    [...flags, '-S', '-x', 'c', '-o', '-', '-'],
    Buffer.from(source),
  ).toString()
  return values.map((_, i) => {
    const match = new RegExp(`^value${i}:\\s+\\.long\\s+(\\d+)`, 'm').exec(assembly)
    return Number(match?.[1]) - 1
  })
}

const ours = ({ offsets, size }: Layout): number[] => [...Object.values(offsets), size]

// gcc aligns 64-bit members of 32-bit x86 to 8 bytes, as Arm does, when asked to.
const abis: [string, Abi, string[]][] = [
  ['LP64', kdumpAbi(8, true), ['-m64']],
  ['i386', kdumpAbi(4, true, 4), ['-m32', '-ffreestanding']],
  ['32-bit Arm', kdumpAbi(4, true, 8), ['-m32', '-ffreestanding', '-malign-double']],
]

describeWithJudge('gcc', 'C structs and our tables', () => {
  it.each(abis)('agree on disk_dump_header of %s', (_, abi, flags) => {
    const declarations = `struct header {
      char magic[8]; int version;
      struct { char name[6][65]; } uts;
      struct { long seconds; long microseconds; } time;
      unsigned status; int block_size, sub_blocks; unsigned bitmap_blocks;
      unsigned max_mapnr, ram, device, written, cpu; int cpus;
    };`
    const members = [
      'magic',
      'version',
      'uts',
      'time.seconds',
      'time.microseconds',
      'status',
      'block_size',
      'sub_blocks',
      'bitmap_blocks',
      'max_mapnr',
      'ram',
      'device',
      'written',
      'cpu',
      'cpus',
    ]
    expect(ours(kdumpHeader.layout(abi))).toEqual(askGcc(flags, declarations, 'struct header', members))
  })

  it.each(abis)('agree on kdump_sub_header of %s', (_, abi, flags) => {
    const declarations = `struct sub {
      unsigned long phys_base; int level, split; unsigned long start, end;
      long long info; unsigned long info_size; long long note; unsigned long note_size;
      long long erase; unsigned long erase_size;
      unsigned long long start64, end64, max64;
    };`
    const members =
      'phys_base level split start end info info_size note note_size erase erase_size start64 end64 max64'.split(
        ' ',
      )
    expect(ours(subHeader.layout(abi))).toEqual(askGcc(flags, declarations, 'struct sub', members))
  })

  it.each(abis)('agree on page_desc of %s', (_, abi, flags) => {
    const declarations =
      'struct desc { long long offset; unsigned size, flags; unsigned long long page_flags; };'
    const members = ['offset', 'size', 'flags', 'page_flags']
    expect(ours(pageDescriptor.layout(abi))).toEqual(askGcc(flags, declarations, 'struct desc', members))
  })

  it.each([32, 64])('agree on the ELF%i headers of elf.h', (bits) => {
    const abi = elfAbi(bits === 64, true)
    const ask = (type: string, members: string) =>
      askGcc(['-m64'], '#include <elf.h>', `Elf${bits}_${type}`, members.split(' '))
    const program = bits === 64 ? programHeader64 : programHeader32
    expect(ours(elfHeader.layout(abi))).toEqual(
      ask(
        'Ehdr',
        'e_ident e_type e_machine e_version e_entry e_phoff e_shoff e_flags e_ehsize e_phentsize e_phnum e_shentsize e_shnum e_shstrndx',
      ),
    )
    expect(ours(program.layout(abi))).toEqual(
      ask(
        'Phdr',
        bits === 64
          ? 'p_type p_flags p_offset p_vaddr p_paddr p_filesz p_memsz p_align'
          : 'p_type p_offset p_vaddr p_paddr p_filesz p_memsz p_flags p_align',
      ),
    )
    expect(ours(sectionHeader.layout(abi))).toEqual(
      ask(
        'Shdr',
        'sh_name sh_type sh_flags sh_addr sh_offset sh_size sh_link sh_info sh_addralign sh_entsize',
      ),
    )
  })
})
