// Reads the headers of an ELF core file: the file header, then the program headers wherever e_phoff
// says (QEMU puts section headers between, and writes 8 as e_ehsize), counted by section 0 when there
// are 65535 or more (PN_XNUM).

import { type ByteSource, readExactly } from '../../core/byte-source.ts'
import { Cursor } from '../../core/cursor.ts'
import { FormatError } from '../../core/errors.ts'
import type { Abi } from '../../core/struct.ts'
import {
  type ElfHeader,
  elfAbi,
  elfClass,
  elfData,
  elfHeader,
  elfTypes,
  manyProgramHeaders,
  type ProgramHeader,
  programHeader32,
  programHeader64,
  sectionHeader,
  unknownPhysical,
} from './layout.ts'

/** More segments than a filtered dump of any machine has; more are a damaged count. */
const maxProgramHeaders = 2 ** 20

export interface ElfHeaders {
  readonly header: ElfHeader
  readonly programs: readonly ProgramHeader[]
  readonly is64: boolean
  /** Of the headers; the dumped machine's is targetAbi(). */
  readonly abi: Abi
}

/** @throws {FormatError} not an ELF core file, or its headers are damaged or cut off. */
export function readElfHeaders(source: ByteSource): ElfHeaders {
  const ident = readExactly(source, 0, 16, 'ELF header')
  const choose = (at: number, field: string, values: Readonly<Record<string, number>>): number => {
    const found = ident[at] as number
    if (Object.values(values).includes(found)) return found
    const expected = Object.entries(values).map(([name, value]) => `${value} (${name})`)
    throw new FormatError({
      file: source.name,
      offset: at,
      field: `ELF header, ${field}`,
      expected: expected.join(' or '),
      found: `${found}`,
    })
  }
  const is64 = choose(4, 'class', elfClass) === elfClass.elf64
  const abi = elfAbi(is64, choose(5, 'byte order', elfData) === elfData.littleEndian)

  const bytes = readExactly(source, 0, elfHeader.layout(abi).size, 'ELF header')
  const header = elfHeader.parse(bytes, abi, { file: source.name, what: 'ELF header' })
  checkHeader(header, is64, abi, source.name)
  return { header, programs: readPrograms(source, header, is64, abi), is64, abi }
}

function checkHeader(header: ElfHeader, is64: boolean, abi: Abi, file: string): void {
  const { offsets } = elfHeader.layout(abi)
  const expect = (field: keyof ElfHeader & keyof typeof offsets, expected: number, hint?: string) => {
    if (header[field] === expected) return
    throw new FormatError({
      file,
      offset: offsets[field],
      field: `ELF header, ${field}`,
      expected: `${expected}`,
      found: `${header[field]}`,
      ...(hint === undefined ? {} : { hint }),
    })
  }
  expect('type', elfTypes.core, 'this ELF file is a program or an object file, not a core file')
  expect('programEntrySize', (is64 ? programHeader64 : programHeader32).layout(abi).size)
}

function readPrograms(source: ByteSource, header: ElfHeader, is64: boolean, abi: Abi): ProgramHeader[] {
  const count = programCount(source, header, abi)
  if (count > maxProgramHeaders) {
    throw new FormatError({
      file: source.name,
      offset: header.sectionOffset,
      field: 'section header 0, sh_info',
      expected: `at most ${maxProgramHeaders} program headers`,
      found: `${count}`,
    })
  }
  const at = header.programOffset
  const bytes = readExactly(source, at, count * header.programEntrySize, `${count} program headers`)
  const origin = { file: source.name, base: at, what: 'program header' }
  const cursor = new Cursor(bytes, abi.littleEndian, origin)
  return Array.from({ length: count }, () =>
    is64 ? programHeader64.read(cursor, abi) : widen(programHeader32.read(cursor, abi)),
  )
}

function programCount(source: ByteSource, header: ElfHeader, abi: Abi): number {
  if (header.programCount !== manyProgramHeaders || header.sectionOffset === 0) return header.programCount
  const { size } = sectionHeader.layout(abi)
  const bytes = readExactly(source, header.sectionOffset, size, 'section header 0')
  const section = sectionHeader.parse(bytes, abi, { file: source.name, base: header.sectionOffset })
  return section.info === 0 ? header.programCount : section.info
}

type ProgramHeader32 = Omit<ProgramHeader, 'virtual' | 'physical'> & {
  readonly virtual: number
  readonly physical: number
}

const widen = (program: ProgramHeader32): ProgramHeader => ({
  ...program,
  virtual: BigInt(program.virtual),
  physical: program.physical === 0xffff_ffff ? unknownPhysical : BigInt(program.physical),
})
