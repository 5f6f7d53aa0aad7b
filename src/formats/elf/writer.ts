// Headers of an ELF core file as we write it: file header, PT_NOTE, PT_LOADs, section 0 when there are
// too many of them, notes. crash takes it only in that order, and only with p_align 0. Always ELF64,
// which readers accept for 32-bit machines too. Source: makedumpfile write_elf_header.

import {
  elfAbi,
  elfClass,
  elfData,
  elfHeader,
  elfMagic,
  elfTypes,
  manyProgramHeaders,
  type ProgramHeader,
  programHeader64,
  programTypes,
  sectionHeader,
} from './layout.ts'

export interface ElfHead {
  readonly machine: number
  readonly littleEndian: boolean
  /** e_flags */
  readonly flags: number
  /** The note area, verbatim. */
  readonly notes: Uint8Array
  readonly loads: readonly LoadHeader[]
}

export interface LoadHeader extends Pick<ProgramHeader, 'flags' | 'virtual' | 'fileSize' | 'memorySize'> {
  readonly physical: number
  /** p_offset, counted from the end of the headers. */
  readonly dataOffset: number
}

/** Everything in front of the data. */
export function writeElfHead({ machine, littleEndian, flags, notes, loads }: ElfHead): Uint8Array {
  const abi = elfAbi(true, littleEndian)
  const count = loads.length + 1
  const programOffset = elfHeader.layout(abi).size
  const programsEnd = programOffset + count * programHeader64.layout(abi).size
  const section =
    count < manyProgramHeaders ? new Uint8Array(0) : sectionHeader.write({ size: 1, info: count }, abi)
  const noteOffset = programsEnd + section.length
  const dataOffset = noteOffset + notes.length
  const header = elfHeader.write(
    {
      ident: Uint8Array.of(
        ...elfMagic,
        elfClass.elf64,
        littleEndian ? elfData.littleEndian : elfData.bigEndian,
        1,
      ),
      type: elfTypes.core,
      machine,
      version: 1,
      programOffset,
      flags,
      headerSize: programOffset,
      programEntrySize: programHeader64.layout(abi).size,
      programCount: Math.min(count, manyProgramHeaders),
      ...(section.length === 0
        ? {}
        : { sectionOffset: programsEnd, sectionEntrySize: section.length, sectionCount: 1 }),
    },
    abi,
  )
  const note = {
    type: programTypes.note,
    offset: noteOffset,
    fileSize: notes.length,
    memorySize: notes.length,
  }
  const programs = [
    note,
    ...loads.map((load) => ({
      ...load,
      type: programTypes.load,
      physical: BigInt(load.physical),
      offset: dataOffset + load.dataOffset,
    })),
  ].map((program) => programHeader64.write(program, abi))
  return Buffer.concat([header, ...programs, section, notes])
}
