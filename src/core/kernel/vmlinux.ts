// A kernel's own file: symbols and types as they were linked, before the kernel moved itself. An
// unstripped vmlinux has both; a stripped one has the types.

import { Btf } from '../../formats/btf/reader.ts'
import { type ElfFile, type ElfSection, readElfSections, readSection } from '../../formats/elf/sections.ts'
import { ElfSymbols, elfSections } from '../../formats/elf/symtab.ts'
import { type ByteSource, FileSource } from '../byte-source.ts'
import { NameIndex } from '../name-index.ts'
import { SymbolTable } from './symbols.ts'

export interface Vmlinux {
  /** e_machine */
  readonly machine: number
  /** At link-time addresses: run-time ones are higher by VMCOREINFO's KERNELOFFSET. */
  readonly symbols: SymbolTable | undefined
  readonly btf: Btf | undefined
}

const sectionTypes = { symbols: 2, noBits: 8 } as const
const sectionFlags = { write: 1n, allocate: 2n, execute: 4n } as const
const symbolTypes = { section: 3, file: 4 } as const
const bindings = { local: 0, weak: 2 } as const

/** @throws {FormatError} no ELF file, or a damaged one */
export function readVmlinux(path: string): Vmlinux {
  using source = new FileSource(path)
  const file = readElfSections(source)
  const types = file.sections.find(({ title }) => title === '.BTF')
  return {
    machine: file.machine,
    symbols: readSymbols(source, file),
    btf:
      types === undefined
        ? undefined
        : new Btf(readSection(source, types), file.littleEndian, { file: path, base: types.offset }),
  }
}

function readSymbols(source: ByteSource, { sections, littleEndian }: ElfFile): SymbolTable | undefined {
  const table = sections.find(({ type }) => type === sectionTypes.symbols)
  const strings = table === undefined ? undefined : sections[table.link]
  if (table === undefined || strings === undefined) return undefined
  const symbols = new ElfSymbols(readSection(source, table), littleEndian)
  const names = readSection(source, strings)
  const kept: number[] = []
  for (let i = 1; i < symbols.length; i++) {
    const type = symbols.info(i) & 15
    const isNamed = type !== symbolTypes.section && type !== symbolTypes.file
    if (isNamed && symbols.section(i) !== elfSections.undefined && (names[symbols.name(i)] ?? 0) !== 0)
      kept.push(i)
  }
  return new SymbolTable({
    addresses: BigUint64Array.from(kept, (i) => symbols.value(i)),
    types: Uint8Array.from(kept, (i) => letterOf(symbols, i, sections).charCodeAt(0)),
    names: new NameIndex(
      names,
      Uint32Array.from(kept, (i) => symbols.name(i)),
    ),
  })
}

/** As nm has it. */
function letterOf(symbols: ElfSymbols, index: number, sections: readonly ElfSection[]): string {
  const binding = symbols.info(index) >> 4
  if (binding === bindings.weak) return 'W'
  const letter =
    symbols.section(index) === elfSections.absolute ? 'A' : sectionLetter(sections[symbols.section(index)])
  return binding === bindings.local ? letter.toLowerCase() : letter
}

function sectionLetter(section: ElfSection | undefined): string {
  const flags = BigInt(section?.flags ?? 0)
  if ((flags & sectionFlags.execute) !== 0n) return 'T'
  if ((flags & sectionFlags.write) === 0n) return 'R'
  return section?.type === sectionTypes.noBits ? 'B' : 'D'
}
