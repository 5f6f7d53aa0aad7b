// A kdump-compressed file, or the parts of a split one, as a dump.

import { hex, MiB } from '../../core/address.ts'
import { elfMachines } from '../../core/arch/elf-machines.ts'
import { archList } from '../../core/arch/index.ts'
import type { Bitmap } from '../../core/bitmap.ts'
import type { ByteSource } from '../../core/byte-source.ts'
import { readExactly, readUpTo, storedSize } from '../../core/byte-source.ts'
import { FormatError, type Warning } from '../../core/errors.ts'
import type { Dump, KdumpFacts } from '../dump.ts'
import {
  findEraseInfo,
  findVmcoreinfo,
  isPrstatus,
  type Note,
  noteTypes,
  parseNotes,
  writeNote,
} from '../elf/notes.ts'
import type { Format } from '../index.ts'
import { type KdumpHeaders, readBitmap, readKdumpHeaders } from './headers.ts'
import { signature, statusFlags, subHeader } from './layout.ts'
import { type KdumpMemory, type KdumpPart, kdumpMemory } from './memory.ts'
import { missingParts, orderParts } from './split.ts'

export const kdumpFormat: Format = {
  name: 'kdump',
  probe: (header) => Buffer.from(header.subarray(0, signature.length)).toString('latin1') === signature,
  open: (source, container) => openParts([source], container),
  openSet: openParts,
}

function openParts(sources: readonly ByteSource[], container: Dump['container']): Dump {
  const { parts, exists, stored } = readParts(sources)
  const { source, headers } = parts[0] as KdumpPart
  const { header, abi } = headers
  const memory = kdumpMemory(parts, exists, stored)
  const noteBytes = readNotes(source, headers)
  const notes = parseNotes(noteBytes, abi.littleEndian, source.name)
  return {
    format: 'kdump',
    container,
    name: source.name,
    paths: pathsOf(sources),
    elfMachine: machineOf(header.utsname.machine, notes, abi.littleEndian),
    abi,
    memory,
    pageSize: header.blockSize,
    notes,
    noteBytes,
    vmcoreinfo: findVmcoreinfo(notes),
    eraseInfo: findEraseInfo(notes) + readEraseInfo(parts),
    segments: [],
    elfFlags: 0,
    kdump: kdumpFacts(headers),
    source,
    lost: () => memory.lost(),
    warnings: [...parts.flatMap((part) => part.source.warnings ?? []), ...lossWarnings(parts, memory)],
    [Symbol.dispose]: () => memory[Symbol.dispose](),
  }
}

export interface KdumpParts {
  /** In the order of their pages; the headers of the first say all that is common to them. */
  readonly parts: readonly KdumpPart[]
  readonly exists: Bitmap
  readonly stored: Bitmap
}

/** The headers of a file, or of parts of a split one. @throws {FormatError} they are not of one dump. */
export function readParts(sources: readonly ByteSource[]): KdumpParts {
  const parts = orderParts(sources.map((source) => ({ source, headers: readKdumpHeaders(source) })))
  const { source, headers } = parts[0] as KdumpPart
  const { offsets, maxMapnr } = headers
  const exists = readBitmap(source, offsets.bitmap1, maxMapnr)
  const stored = offsets.bitmap2 === offsets.bitmap1 ? exists : readBitmap(source, offsets.bitmap2, maxMapnr)
  return { parts, exists, stored }
}

function pathsOf(sources: readonly ByteSource[]): readonly string[] | undefined {
  const paths = sources.flatMap(({ path }) => path ?? [])
  return paths.length === sources.length ? paths : undefined
}

const kdumpFacts = ({ header, sub, maxMapnr }: KdumpHeaders): KdumpFacts => ({
  headerVersion: header.headerVersion,
  dumpLevel: sub.dumpLevel ?? 0,
  maxMapnr,
  status: header.status,
  utsname: header.utsname,
  crashTime: Number(header.seconds) <= Number.MAX_SAFE_INTEGER ? Number(header.seconds) : 0,
  cpuCount: header.cpuCount,
  physBase: sub.physBase,
})

/** The notes. A file of version 3 has the text of VMCOREINFO alone: it gets its note here. */
export function readNotes(source: ByteSource, headers: KdumpHeaders): Uint8Array {
  const { littleEndian } = headers.abi
  const bytes = readInside(source, headers, 'note')
  if (findVmcoreinfo(parseNotes(bytes, littleEndian, source.name)) !== undefined) return bytes
  const text = readInside(source, headers, 'vmcoreinfo')
  if (text.length === 0) return bytes
  return Buffer.concat([bytes, writeNote('VMCOREINFO', noteTypes.vmcoreinfo, text, littleEndian)])
}

/**
 * What was erased, from all parts. It is behind the pages and nothing depends on it: where a copy that is
 * cut short lacks it, it is empty.
 */
export function readEraseInfo(parts: readonly KdumpPart[]): string {
  return parts
    .map(({ source, headers: { sub } }) => {
      const { eraseinfoOffset: offset = 0, eraseinfoSize: size = 0 } = sub
      if (offset === 0 || size > maxEraseInfo || offset + size > source.size) return ''
      return Buffer.from(readUpTo(source, offset, size))
        .toString('latin1')
        .replace(/\0.*$/s, '')
    })
    .join('')
}

/** A line for each of a million erased places. */
const maxEraseInfo = 64 * MiB

/** Bytes that the sub-header points at; none when it does not, or is too old to. */
function readInside(
  source: ByteSource,
  { header, sub, abi }: KdumpHeaders,
  what: 'note' | 'vmcoreinfo',
): Uint8Array {
  const offset = sub[`${what}Offset`] ?? 0
  const size = sub[`${what}Size`] ?? 0
  if (offset === 0 || size === 0) return new Uint8Array(0)
  const isInside = offset + size <= source.size && size <= storedSize(source)
  if (isInside) return readExactly(source, offset, size, what)
  throw new FormatError({
    file: source.name,
    offset: header.blockSize + subHeader.layout(abi).offsets[`${what}Offset`],
    field: `kdump sub-header, ${what}Offset and ${what}Size`,
    expected: `a part of the file (size ${hex(source.size)})`,
    found: `${size} bytes at ${hex(offset)}`,
    hint: 'the copy may be cut short; compare its size with the original',
  })
}

const machineNames: readonly (readonly [RegExp, number])[] = [
  [/^x86_64$/, elfMachines.x86_64],
  [/^ppc64/, elfMachines.ppc64],
  [/^aarch64/, elfMachines.aarch64],
  [/^s390x$/, elfMachines.s390x],
  [/^riscv64$/, elfMachines.riscv64],
  [/^i\d86$/, elfMachines.i386],
  [/^arm/, elfMachines.arm],
  [/^ppc/, elfMachines.ppc],
]

/**
 * The name in the header; where there is none (makedumpfile -d 0 or 1 without VMCOREINFO) the size of
 * NT_PRSTATUS, which only x86_64 and s390x share, and those differ in byte order. 0: unknown.
 */
function machineOf(name: string, notes: readonly Note[], littleEndian: boolean): number {
  const named = machineNames.find(([pattern]) => pattern.test(name))
  if (named !== undefined) return named[1]
  const size = notes.find(isPrstatus)?.desc.length
  const arch = archList.find(
    ({ registers, abi }) => registers.prstatusSize === size && abi.littleEndian === littleEndian,
  )
  return arch?.elfMachine ?? 0
}

function lossWarnings(parts: readonly KdumpPart[], memory: KdumpMemory): Warning[] {
  const incomplete = parts.filter(({ headers }) => (headers.header.status & statusFlags.incomplete) !== 0)
  return [
    ...incomplete.map(({ source }) => ({
      code: 'INCOMPLETE',
      message: `${source.name} is marked incomplete: the disk was full when it was written`,
    })),
    ...missingParts(parts).map(({ start, end }) => ({
      code: 'INCOMPLETE',
      message: `a part of the split dump is missing: the one with the pages ${hex(start)} to ${hex(end)}`,
    })),
    ...memory.cutShort.map((name) => ({
      code: 'TRUNCATED',
      message: `${name} is cut short: its last pages are missing`,
    })),
  ]
}
