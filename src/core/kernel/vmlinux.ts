// A kernel's own file: symbols and types as they were linked, before the kernel moved itself. An
// unstripped vmlinux has both; a stripped one has the types.

import { Btf } from '../../formats/btf/reader.ts'
import { type ElfFile, type ElfSection, readElfSections, readSection } from '../../formats/elf/sections.ts'
import { ElfSymbols, elfSections } from '../../formats/elf/symtab.ts'
import type { VirtAddr } from '../address.ts'
import { type ByteSource, FileSource, readUpTo } from '../byte-source.ts'
import { NameIndex } from '../name-index.ts'
import { SymbolTable } from './symbols.ts'

export interface Vmlinux {
  /** e_machine */
  readonly machine: number
  /** At link-time addresses: run-time ones are higher by VMCOREINFO's KERNELOFFSET. */
  readonly symbols: SymbolTable | undefined
  readonly btf: Btf | undefined
  /** As uname -r prints it. */
  readonly release: string | undefined
  /** Bytes. */
  readonly pageSize: number | undefined
}

const sectionTypes = { symbols: 2, noBits: 8 } as const
const sectionFlags = { write: 1n, allocate: 2n, execute: 4n } as const
const symbolTypes = { section: 3, file: 4 } as const
/** Bytes of linux_banner that matter. */
const maxBanner = 256
const bindings = { local: 0, weak: 2 } as const

/** @throws {FormatError} no ELF file, or a damaged one */
export function readVmlinux(path: string): Vmlinux {
  using source = new FileSource(path)
  const file = readElfSections(source)
  const types = file.sections.find(({ title }) => title === '.BTF')
  const { symbols, sizeOf } = readSymbols(source, file)
  return {
    machine: file.machine,
    symbols,
    release: readRelease(source, file, symbols?.address('linux_banner')),
    // The one object of every kernel that is a page.
    pageSize: sizeOf('empty_zero_page'),
    btf:
      types === undefined
        ? undefined
        : new Btf(readSection(source, types), file.littleEndian, { file: path, base: types.offset }),
  }
}

/** From the text that the kernel prints first. */
function readRelease(
  source: ByteSource,
  { sections }: ElfFile,
  banner: VirtAddr | undefined,
): string | undefined {
  if (banner === undefined) return undefined
  const section = sections.find(
    ({ address: start, size, type }) =>
      type !== sectionTypes.noBits && start !== 0n && banner >= start && banner < start + BigInt(size),
  )
  if (section === undefined) return undefined
  const bytes = readUpTo(source, section.offset + Number(banner - section.address), maxBanner)
  return /^Linux version (\S+)/.exec(Buffer.from(bytes).toString('latin1'))?.[1]
}

interface Symbols {
  readonly symbols: SymbolTable | undefined
  /** Bytes of what a symbol names. */
  sizeOf(name: string): number | undefined
}

function readSymbols(source: ByteSource, { sections, littleEndian }: ElfFile): Symbols {
  const table = sections.find(({ type }) => type === sectionTypes.symbols)
  const strings = table === undefined ? undefined : sections[table.link]
  if (table === undefined || strings === undefined) return { symbols: undefined, sizeOf: () => undefined }
  const entries = new ElfSymbols(readSection(source, table), littleEndian)
  const names = readSection(source, strings)
  const kept: number[] = []
  for (let i = 1; i < entries.length; i++) {
    const type = entries.info(i) & 15
    const isNamed = type !== symbolTypes.section && type !== symbolTypes.file
    if (isNamed && entries.section(i) !== elfSections.undefined && (names[entries.name(i)] ?? 0) !== 0)
      kept.push(i)
  }
  const index = new NameIndex(
    names,
    Uint32Array.from(kept, (i) => entries.name(i)),
  )
  const symbols = new SymbolTable({
    addresses: BigUint64Array.from(kept, (i) => entries.value(i)),
    types: Uint8Array.from(kept, (i) => letterOf(entries, i, sections).charCodeAt(0)),
    names: index,
  })
  return {
    symbols,
    sizeOf: (name) => {
      const [item] = index.find(name)
      return item === undefined ? undefined : entries.size(kept[item] as number)
    },
  }
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
