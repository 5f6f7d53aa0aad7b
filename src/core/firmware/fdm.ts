// The RTAS "dump memory structure": what the kernel asks firmware to save, and, in the tree of the
// capture boot, what firmware did about it. Big endian, a header and consecutive sections.
// Source: Linux arch/powerpc/platforms/pseries/rtas-fadump.{c,h}; QEMU include/hw/ppc/spapr_fadump.h.

import type { FadumpConfig } from '../../formats/machine-image/state.ts'
import { Cursor } from '../cursor.ts'
import { abi64be, type Of, struct, u16, u32, u64 } from '../struct.ts'

export const fdmHeader = struct('rtas_fadump_section_header', {
  dumpFormatVersion: u32('1'),
  dumpNumSections: u16('sections that follow, at most 10'),
  dumpStatusFlag: u16('statusFlags, written by firmware'),
  offsetFirstDumpSection: u32('bytes from the start of the header'),
  ddBlockSize: u32('disk dump, not used'),
  ddBlockOffset: u64('disk dump, not used'),
  ddNumBlocks: u64('disk dump, not used'),
  ddOffsetDiskPath: u32('disk dump, not used'),
  maxTimeAuto: u32('0: no automatic dump and reboot'),
})

export const fdmSection = struct('rtas_fadump_section', {
  requestFlag: u32('1 asks for a copy; anything else skips the section'),
  sourceDataType: u16('sectionTypes'),
  errorFlags: u16('errorFlags, written by firmware'),
  sourceAddress: u64('physical address; 0 for what firmware itself provides'),
  sourceLength: u64('bytes'),
  bytesDumped: u64('bytes, written by firmware'),
  destinationAddress: u64('physical address'),
})
export type FdmSection = Of<typeof fdmSection>

export interface Fdm {
  readonly header: Of<typeof fdmHeader>
  readonly sections: readonly FdmSection[]
}

export const sectionTypes = {
  cpuState: 0x0001,
  hpte: 0x0002,
  bootMemory: 0x0011,
  parameterArea: 0x0100,
} as const

export const statusFlags = { performed: 0x8000, triggered: 0x4000, error: 0x2000 } as const

export const errorFlags = {
  invalidDataType: 0x8000,
  invalidSourceAddress: 0x4000,
  lengthExceedsSource: 0x2000,
  invalidDestinationAddress: 0x1000,
  destinationTooSmall: 0x0800,
} as const

export const maxSections = 10
const headerSize = fdmHeader.layout(abi64be).size
const sectionSize = fdmSection.layout(abi64be).size

/** Bytes of a structure with this many sections; the length the kernel passes must be exact. */
export const fdmSize = (sections: number): number => headerSize + sections * sectionSize

/** What the kernel hands over: CPU state, hash page table, boot memory, parameter area, in this order. */
export function buildFdm(config: FadumpConfig, pageSize: number, parameterAreaSize: number): Fdm {
  const start = config.reserveStart - (config.reserveStart % pageSize)
  const sections = [
    section(sectionTypes.cpuState, 0, config.cpuStateSize, start),
    section(sectionTypes.hpte, 0, config.hpteSize, start + config.cpuStateSize),
    ...config.bootMemoryRegions.map(({ address, size, copy }) =>
      section(sectionTypes.bootMemory, address, size, copy),
    ),
  ]
  const { parameterArea } = config
  if (parameterArea !== undefined) {
    sections.push(section(sectionTypes.parameterArea, parameterArea, parameterAreaSize, parameterArea))
  }
  const header = {
    dumpFormatVersion: 1,
    dumpNumSections: sections.length,
    dumpStatusFlag: 0,
    offsetFirstDumpSection: headerSize,
    ddBlockSize: 0,
    ddBlockOffset: 0,
    ddNumBlocks: 0,
    ddOffsetDiskPath: 0,
    maxTimeAuto: 0,
  }
  return { header, sections }
}

const section = (
  sourceDataType: number,
  sourceAddress: number,
  sourceLength: number,
  destinationAddress: number,
): FdmSection => ({
  requestFlag: 1,
  sourceDataType,
  errorFlags: 0,
  sourceAddress,
  sourceLength,
  bytesDumped: 0,
  destinationAddress,
})

export function writeFdm({ header, sections }: Fdm): Uint8Array {
  const parts = [fdmHeader.write(header, abi64be), ...sections.map((one) => fdmSection.write(one, abi64be))]
  return Buffer.concat(parts)
}

/** Sections follow the header directly, as in `ibm,kernel-dump`. @throws {FormatError} */
export function parseFdm(bytes: Uint8Array, file: string): Fdm {
  const cursor = new Cursor(bytes, false, { file })
  const header = fdmHeader.read(cursor, abi64be)
  if (header.dumpNumSections > maxSections) {
    throw cursor.problem('rtas_fadump_section_header, dumpNumSections', {
      at: 4,
      expected: `at most ${maxSections}`,
      found: `${header.dumpNumSections}`,
    })
  }
  const sections = Array.from({ length: header.dumpNumSections }, () => fdmSection.read(cursor, abi64be))
  return { header, sections }
}
