// The ELF core header that the capture kernel builds in its memory: offsets are physical addresses. Boot
// memory is read from its copy, everything above it where it is, but for the area of the copies.
// Source: Linux arch/powerpc/kernel/fadump.c (fadump_populate_elfcorehdr).

import {
  elfClass,
  elfData,
  elfHeader,
  elfMagic,
  elfTypes,
  type ProgramHeader,
  programHeader64,
  programTypes,
} from '../../formats/elf/layout.ts'
import type { FadumpConfig, MachineState } from '../../formats/machine-image/state.ts'
import { alignUp, hex } from '../address.ts'
import { linearBase, ppc64le } from '../arch/ppc64.ts'
import { dumpArea } from '../firmware/dump-area.ts'
import { kernelAbi } from '../firmware/pt-regs.ts'
import { overlaps, type Range, type Ranges } from '../ranges.ts'

export interface ElfcorehdrInputs {
  readonly config: Pick<FadumpConfig, 'bootMemoryRegions' | 'bootMemoryTop' | 'reserveStart' | 'reserveSize'>
  /** Memory as the capture kernel finds it. */
  readonly memory: Ranges
  /** Buffer of the CPU notes, physical. */
  readonly notes: Range
  /** Where the VMCOREINFO note will be found, physical. */
  readonly vmcoreinfo: Range
}

/** A program header, and why it is there. */
export interface CoreHeader extends ProgramHeader {
  readonly why: string
}

const elfVersion = 1
const readWriteExecute = 7

/** Bytes the kernel takes for it: two notes, the boot memory regions, one for each memory range. */
export function elfcorehdrSize(
  config: ElfcorehdrInputs['config'],
  { memory, pageSize }: Pick<MachineState, 'memory' | 'pageSize'>,
): number {
  const count = 2 + config.bootMemoryRegions.length + memory.length
  return alignUp(headerSize + count * programSize, pageSize)
}

const headerSize = elfHeader.layout(kernelAbi).size
const programSize = programHeader64.layout(kernelAbi).size

export function makeCoreHeaders(inputs: ElfcorehdrInputs): CoreHeader[] {
  const { config, memory } = inputs
  return [
    note(
      inputs.notes,
      'registers: one note for each CPU that was online, the crashing one as it saved itself',
    ),
    note(inputs.vmcoreinfo, whereVmcoreinfoIs(inputs)),
    ...config.bootMemoryRegions.map(({ address, size, copy }) =>
      load(
        { start: address, end: address + size },
        copy,
        `boot memory: the capture kernel runs there, so it is read from firmware's copy at ${hex(copy)}`,
      ),
    ),
    ...memory.flatMap((range) => headersOf(range, config)),
  ]
}

function whereVmcoreinfoIs({ vmcoreinfo, config }: ElfcorehdrInputs): string {
  if (vmcoreinfo.start === vmcoreinfo.end) return 'VMCOREINFO: the crashed kernel had none'
  return overlaps(vmcoreinfo, dumpArea(config))
    ? 'VMCOREINFO of the crashed kernel, in the copy of its boot memory'
    : 'VMCOREINFO of the crashed kernel, above boot memory and so where it always was'
}

/** One memory range of the machine, without boot memory and the area of the copies. */
function headersOf(range: Range, config: ElfcorehdrInputs['config']): CoreHeader[] {
  const { bootMemoryTop } = config
  if (range.end <= bootMemoryTop) return []
  const rest = { start: Math.max(range.start, bootMemoryTop), end: range.end }
  const area = dumpArea(config)
  const why = 'above boot memory: preserved where it is'
  if (!overlaps(rest, area)) return [load(rest, rest.start, why)]
  const parts = [
    { start: rest.start, end: Math.min(rest.end, area.start) },
    { start: Math.max(rest.start, area.end), end: rest.end },
  ].filter(({ start, end }) => start < end)
  const besides = `${why}; the dump area ${hex(area.start)}-${hex(area.end - 1)} is left out`
  if (parts.length > 0) return parts.map((part) => load(part, part.start, besides))
  return [
    {
      ...note(
        { start: 0, end: 0 },
        'a memory range inside the dump area: the kernel counts a header it leaves empty',
      ),
      type: 0,
    },
  ]
}

const note = ({ start, end }: Range, why: string): CoreHeader => ({
  type: programTypes.note,
  flags: 0,
  offset: start,
  virtual: 0n,
  physical: BigInt(start),
  fileSize: end - start,
  memorySize: end - start,
  align: 0,
  why,
})

const load = ({ start, end }: Range, offset: number, why: string): CoreHeader => ({
  type: programTypes.load,
  flags: readWriteExecute,
  offset,
  virtual: linearBase | BigInt(start),
  physical: BigInt(start),
  fileSize: end - start,
  memorySize: end - start,
  align: 0,
  why,
})

/** ELF header and program headers, without padding. */
export function writeElfcorehdr(headers: readonly CoreHeader[], elfFlags: number): Uint8Array {
  const data = kernelAbi.littleEndian ? elfData.littleEndian : elfData.bigEndian
  const header = elfHeader.write(
    {
      ident: Uint8Array.of(...elfMagic, elfClass.elf64, data, elfVersion),
      type: elfTypes.core,
      machine: ppc64le.elfMachine,
      version: elfVersion,
      programOffset: headerSize,
      flags: elfFlags,
      headerSize,
      programEntrySize: programSize,
      programCount: headers.length,
    },
    kernelAbi,
  )
  return Buffer.concat([header, ...headers.map((one) => programHeader64.write(one, kernelAbi))])
}
