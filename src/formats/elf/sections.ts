// Sections of an ELF file by name: what a vmlinux has beside its code. 64-bit files only, as all kernels
// with BTF are.

import { type ByteSource, readExactly } from '../../core/byte-source.ts'
import { Cursor } from '../../core/cursor.ts'
import { FormatError } from '../../core/errors.ts'
import { readName } from '../../core/name-index.ts'
import type { Of } from '../../core/struct.ts'
import { elfAbi, elfClass, elfData, elfHeader, elfMagic, sectionHeader } from './layout.ts'

export interface ElfSection extends Of<typeof sectionHeader> {
  /** As sh_name leads to it. */
  readonly title: string
}

export interface ElfFile {
  readonly littleEndian: boolean
  /** e_machine */
  readonly machine: number
  readonly sections: readonly ElfSection[]
}

/** Of a section's contents: no kernel's is larger. */
const maxSectionSize = 2 ** 29

/** @throws {FormatError} no 64-bit ELF file with sections, or a damaged one */
export function readElfSections(source: ByteSource): ElfFile {
  const problem = (field: string, expected: string, found: string): FormatError =>
    new FormatError({ file: source.name, field, expected, found })
  const ident = readExactly(source, 0, 16, 'ELF header')
  const isElf64 = elfMagic.every((byte, i) => ident[i] === byte) && ident[4] === elfClass.elf64
  if (!isElf64)
    throw problem('ELF header', 'a 64-bit ELF file', Buffer.from(ident.subarray(0, 5)).toString('hex'))
  const abi = elfAbi(true, ident[5] === elfData.littleEndian)
  const headerBytes = readExactly(source, 0, elfHeader.layout(abi).size, 'ELF header')
  const header = elfHeader.parse(headerBytes, abi, { file: source.name, what: 'ELF header' })
  const { sectionOffset, sectionCount, sectionNames, sectionEntrySize } = header
  const { size } = sectionHeader.layout(abi)
  if (sectionEntrySize !== size) throw problem('ELF header, e_shentsize', `${size}`, `${sectionEntrySize}`)
  const bytes = readExactly(source, sectionOffset, sectionCount * size, 'section headers')
  const cursor = new Cursor(bytes, abi.littleEndian, { file: source.name, base: sectionOffset })
  const list = Array.from({ length: sectionCount }, () => sectionHeader.read(cursor, abi))
  const names = list[sectionNames]
  const pool = names === undefined ? new Uint8Array(0) : readSection(source, names)
  const sections = list.map((section) => ({ ...section, title: readName(pool, section.name) }))
  return { littleEndian: abi.littleEndian, machine: header.machine, sections }
}

/** A section's bytes. @throws {FormatError} they are not in the file */
export function readSection(
  source: ByteSource,
  { offset, size }: Pick<ElfSection, 'offset' | 'size'>,
): Uint8Array {
  if (size <= maxSectionSize) return readExactly(source, offset, size, 'section')
  throw new FormatError({
    file: source.name,
    offset,
    field: 'section size',
    expected: `up to ${maxSectionSize}`,
    found: `${size}`,
  })
}
