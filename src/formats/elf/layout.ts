// ELF headers of core files, both classes. `unsigned long` of the file's class is what separates
// Elf32_Ehdr from Elf64_Ehdr; program headers have another field order. The class says nothing of the
// dumped machine: a 32-bit kernel with more than 4 GiB is dumped as ELF64. Source: gABI 4.1, elf.h.

import { elfMachines } from '../../core/arch/elf-machines.ts'
import { type Abi, big64, bigword, type Of, raw, struct, u16, u32, u64, uword } from '../../core/struct.ts'

export const elfHeader = struct('ELF header', {
  ident: raw(16, '7f 45 4c 46, class, byte order, version, OS ABI'),
  type: u16('4 is a core file'),
  machine: u16('EM_*: the dumped machine'),
  version: u32('1'),
  entry: bigword('0 in a core file'),
  programOffset: uword('e_phoff: where the program headers start, bytes into the file'),
  sectionOffset: uword('e_shoff: where the section headers start, 0 when there are none'),
  flags: u32('e_flags: ABI of ppc64; bit 0 set by makedumpfile in a dump that was cut short'),
  headerSize: u16('e_ehsize; QEMU writes 8'),
  programEntrySize: u16('e_phentsize'),
  programCount: u16('e_phnum; 0xffff: the number is in sh_info of section 0'),
  sectionEntrySize: u16('e_shentsize'),
  sectionCount: u16('e_shnum'),
  sectionNames: u16('e_shstrndx'),
})
export type ElfHeader = Of<typeof elfHeader>

export const programHeader64 = struct('program header', {
  type: u32('PT_*'),
  flags: u32('4 read, 2 write, 1 execute'),
  offset: u64('where the data starts, bytes into the file'),
  virtual: big64('p_vaddr'),
  physical: big64('p_paddr; all ones when unknown'),
  fileSize: u64('p_filesz, bytes in the file'),
  memorySize: u64('p_memsz, bytes of memory; those past fileSize were left out'),
  align: u64('0 in kernel dumps'),
})
export type ProgramHeader = Of<typeof programHeader64>

export const programHeader32 = struct('program header', {
  type: u32('PT_*'),
  offset: u32('where the data starts, bytes into the file'),
  virtual: u32('p_vaddr'),
  physical: u32('p_paddr; all ones when unknown'),
  fileSize: u32('p_filesz, bytes in the file'),
  memorySize: u32('p_memsz, bytes of memory; those past fileSize were left out'),
  flags: u32('4 read, 2 write, 1 execute'),
  align: u32('0 in kernel dumps'),
})

export const sectionHeader = struct('section header', {
  name: u32('sh_name'),
  type: u32('0 (SHT_NULL) for section 0'),
  flags: uword('sh_flags'),
  address: bigword('sh_addr'),
  offset: uword('sh_offset'),
  size: uword('in section 0: the number of sections'),
  link: u32('sh_link'),
  info: u32('in section 0: the number of program headers when e_phnum is 0xffff'),
  align: uword('sh_addralign'),
  entrySize: uword('sh_entsize'),
})

export const elfMagic = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46)
export const elfClass = { elf32: 1, elf64: 2 } as const
export const elfData = { littleEndian: 1, bigEndian: 2 } as const
export const elfTypes = { core: 4 } as const
export const programTypes = { load: 1, note: 4 } as const
/** e_flags bit of makedumpfile: writing ended early (DUMP_ELF_INCOMPLETE). */
export const elfIncomplete = 1
/** e_phnum that means "look into section 0" (PN_XNUM). */
export const manyProgramHeaders = 0xffff
/** p_paddr of a segment whose physical address is not known. */
export const unknownPhysical = 0xffff_ffff_ffff_ffffn

/** ABI of the headers themselves. ELF tables have no padding, so alignment does not matter. */
export const elfAbi = (is64: boolean, littleEndian: boolean): Abi => ({
  wordBytes: is64 ? 8 : 4,
  littleEndian,
  align64: 8,
})

const narrowMachines = new Set<number>([elfMachines.i386, elfMachines.ppc, elfMachines.arm])

/**
 * ABI of the dumped machine. i386, PowerPC and Arm are 32-bit whatever the class of the
 * file; other machines (MIPS) go by the class.
 */
export const targetAbi = (machine: number, is64: boolean, littleEndian: boolean): Abi => ({
  wordBytes: is64 && !narrowMachines.has(machine) ? 8 : 4,
  littleEndian,
  align64: machine === elfMachines.i386 ? 4 : 8,
})
