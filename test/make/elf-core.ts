// Builds a small ELF core file in memory: headers, notes, then the data of the segments without gaps.

import {
  type ElfHeader,
  elfAbi,
  elfHeader,
  manyProgramHeaders,
  programHeader32,
  programHeader64,
  programTypes,
  sectionHeader,
} from '../../src/formats/elf/layout.ts'
import { writeNote } from '../../src/formats/elf/notes.ts'

export interface MadeSegment {
  /** All ones when left out and `unknownPhysical` is set. */
  readonly physical: number
  /** What is in the file. */
  readonly data: Uint8Array
  /** Default: as long as the data. */
  readonly memorySize?: number
  readonly virtual?: bigint
  readonly unknownPhysical?: boolean
}

export interface ElfCoreOptions {
  readonly segments: readonly MadeSegment[]
  /** One PT_NOTE each. */
  readonly noteAreas?: readonly Uint8Array[]
  readonly machine?: number
  readonly is64?: boolean
  readonly littleEndian?: boolean
  /** Put the number of program headers into section 0. */
  readonly manyHeaders?: boolean
  /** Bytes between the file header and the program headers, as QEMU leaves them. */
  readonly gap?: number
  /** Fields of the file header to set otherwise. */
  readonly header?: Partial<ElfHeader>
}

export function makeElfCore(options: ElfCoreOptions): Uint8Array {
  const { segments, noteAreas = [], is64 = true, gap = 0 } = options
  const abi = elfAbi(is64, options.littleEndian ?? true)
  const program = is64 ? programHeader64 : programHeader32
  const headerSize = elfHeader.layout(abi).size
  const programOffset = headerSize + gap
  const count = noteAreas.length + segments.length
  const sectionOffset = programOffset + count * program.layout(abi).size
  const section = sectionHeader.write({ size: 1, info: count }, abi)
  let at = sectionOffset + (options.manyHeaders ? section.length : 0)

  const parts: [number, Uint8Array][] = []
  const place = (data: Uint8Array) => {
    parts.push([at, data])
    at += data.length
    return at - data.length
  }
  const programs = [
    ...noteAreas.map((area) => ({
      type: programTypes.note,
      offset: place(area),
      fileSize: area.length,
      memorySize: area.length,
    })),
    ...segments.map((segment) => ({
      type: programTypes.load,
      flags: 7,
      offset: place(segment.data),
      virtual: segment.virtual ?? 0n,
      physical: segment.unknownPhysical ? 0xffff_ffff_ffff_ffffn : BigInt(segment.physical),
      fileSize: segment.data.length,
      memorySize: segment.memorySize ?? segment.data.length,
    })),
  ]
  const header = elfHeader.write(
    {
      ident: Uint8Array.of(
        0x7f,
        0x45,
        0x4c,
        0x46,
        is64 ? 2 : 1,
        abi.littleEndian ? 1 : 2,
        1,
        ...new Array(9).fill(0),
      ),
      type: 4,
      machine: options.machine ?? 62,
      version: 1,
      programOffset,
      headerSize,
      programEntrySize: program.layout(abi).size,
      programCount: options.manyHeaders ? manyProgramHeaders : count,
      ...(options.manyHeaders ? { sectionOffset, sectionEntrySize: section.length, sectionCount: 1 } : {}),
      ...options.header,
    },
    abi,
  )

  const file = new Uint8Array(at)
  file.set(header)
  programs.forEach((value, i) => {
    const narrow = { ...value, virtual: Number((value as { virtual?: bigint }).virtual ?? 0), physical: 0 }
    if ('physical' in value) narrow.physical = Number(BigInt.asUintN(32, value.physical))
    const bytes = is64 ? programHeader64.write(value, abi) : programHeader32.write(narrow, abi)
    file.set(bytes, programOffset + i * bytes.length)
  })
  if (options.manyHeaders) file.set(section, sectionOffset)
  for (const [offset, data] of parts) file.set(data, offset)
  return file
}

/** `length` bytes counting up from `first`, so that a byte tells where it came from. */
export const pattern = (length: number, first = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)

/** An NT_PRSTATUS of the right size with zero registers. */
export const makePrstatus = (size: number, littleEndian = true): Uint8Array =>
  writeNote('CORE', 1, new Uint8Array(size), littleEndian)

export const makeVmcoreinfo = (text: string, littleEndian = true): Uint8Array =>
  writeNote('VMCOREINFO', 0, Buffer.from(text, 'latin1'), littleEndian)
