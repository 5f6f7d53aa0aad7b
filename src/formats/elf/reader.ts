// An ELF core file as physical memory. p_paddr alone decides what is where; segments may overlap and
// then the first in file order wins, and a read may be stitched from several. Memory past p_filesz was
// left out by a filter. Source: makedumpfile elf_info.c, crash netdump.c (how they read the same files).

import { hex, KiB, MiB, TiB } from '../../core/address.ts'
import { type ByteSource, readUpTo, storedSize } from '../../core/byte-source.ts'
import { hasBytes } from '../../core/bytes.ts'
import { FaultError, FormatError, type Warning } from '../../core/errors.ts'
import { ExtentList, type ExtentMap } from '../../core/extents.ts'
import { makePageCache } from '../../core/memory/page-cache.ts'
import { type PhysicalMemory, pageBitmap } from '../../core/memory/physical.ts'
import { makeRanges, type Ranges, totalSize } from '../../core/ranges.ts'
import type { Dump, LoadSegment } from '../dump.ts'
import type { Format } from '../index.ts'
import { LostList, type LostMemory } from '../lost.ts'
import { type ElfHeaders, readElfHeaders } from './headers.ts'
import {
  elfIncomplete,
  elfMagic,
  type ProgramHeader,
  programTypes,
  targetAbi,
  unknownPhysical,
} from './layout.ts'
import { findEraseInfo, findVmcoreinfo, parseNotes } from './notes.ts'

export const elfFormat: Format = {
  name: 'elf',
  probe: (header) => hasBytes(header, 0, elfMagic),
  open: openElf,
}

/** Notes of a big machine with device dumps (NT_VMCOREDD) are tens of MiB; more is a damaged size. */
const maxNoteBytes = 256 * MiB

function openElf(source: ByteSource, container: Dump['container']): Dump {
  const headers = readElfHeaders(source)
  const loads = headers.programs.filter((program) => program.type === programTypes.load)
  for (const load of loads) checkLoad(load, source.name)
  const known = loads.filter((load) => load.physical !== unknownPhysical)
  if (known.length === 0) throw noSegments(source, headers, loads.length)
  const noteBytes = readNotes(source, headers.programs)
  const notes = parseNotes(noteBytes, headers.abi.littleEndian, source.name)
  const segments = known.map((load) => loadSegment(load, source.size))
  const extents = layOut(source, segments, known)
  return {
    format: 'elf',
    container,
    name: source.name,
    paths: source.path === undefined ? undefined : [source.path],
    elfMachine: headers.header.machine,
    abi: targetAbi(headers.header.machine, headers.is64, headers.abi.littleEndian),
    memory: elfMemory(source, segments, extents),
    pageSize: undefined,
    notes,
    noteBytes,
    vmcoreinfo: findVmcoreinfo(notes),
    eraseInfo: findEraseInfo(notes),
    segments,
    elfFlags: headers.header.flags,
    kdump: undefined,
    source,
    lost: () => lostMemory(extents),
    warnings: [...(source.warnings ?? []), ...lossWarnings(source, headers)],
    [Symbol.dispose]: () => source[Symbol.dispose](),
  }
}

function checkLoad(load: ProgramHeader, file: string): void {
  const problem = (field: string, expected: string, found: string) =>
    new FormatError({ file, field: `PT_LOAD at ${hex(load.physical)}, ${field}`, expected, found })
  if (load.fileSize > load.memorySize) {
    throw problem('p_filesz', `at most p_memsz (${hex(load.memorySize)})`, hex(load.fileSize))
  }
  if (!Number.isSafeInteger(load.offset + load.fileSize)) {
    throw problem('p_offset + p_filesz', 'less than 2^53', `${hex(load.offset)} + ${hex(load.fileSize)}`)
  }
  if (load.physical === unknownPhysical) return
  if (!Number.isSafeInteger(Number(load.physical) + load.memorySize)) {
    throw problem('p_paddr + p_memsz', 'less than 2^53', `${hex(load.physical)} + ${hex(load.memorySize)}`)
  }
}

function noSegments(source: ByteSource, headers: ElfHeaders, loads: number): FormatError {
  return new FormatError({
    file: source.name,
    offset: headers.header.programOffset,
    field: 'program headers',
    expected: 'a PT_LOAD with a physical address',
    found: `${headers.programs.length} program headers, ${loads} PT_LOAD`,
    hint: 'a core file of a process, or a dump whose headers were never written',
  })
}

/** What the headers say of data that is not there. */
function lossWarnings(source: ByteSource, { header, programs }: ElfHeaders): Warning[] {
  const warnings: Warning[] = []
  const end = programs
    .filter(isUsed)
    .reduce((high, program) => Math.max(high, program.offset + program.fileSize), 0)
  if (end > source.size) {
    const message = `${source.name} is cut short: ${source.size} bytes of ${end}, the rest of memory cannot be read`
    warnings.push({ code: 'TRUNCATED', message })
  }
  if ((header.flags & elfIncomplete) !== 0) {
    const message = `${source.name} is marked incomplete: the disk was full when it was written`
    warnings.push({ code: 'INCOMPLETE', message })
  }
  return warnings
}

const isUsed = ({ type }: ProgramHeader): boolean => type === programTypes.load || type === programTypes.note

/** All note areas one after the other; of a file cut short there, what is left of them. */
function readNotes(source: ByteSource, programs: readonly ProgramHeader[]): Uint8Array {
  const areas = programs
    .filter((program) => program.type === programTypes.note)
    .map(({ offset, fileSize }) => ({ offset, size: Math.min(fileSize, Math.max(0, source.size - offset)) }))
  const total = areas.reduce((sum, area) => sum + area.size, 0)
  // Areas do not overlap, so together they are no larger than the file.
  const most = Math.min(maxNoteBytes, storedSize(source))
  if (total > most) {
    throw new FormatError({
      file: source.name,
      field: 'PT_NOTE, p_filesz',
      expected: `at most ${most} bytes of notes`,
      found: `${total}`,
    })
  }
  return Buffer.concat(areas.map((area) => readUpTo(source, area.offset, area.size)))
}

const loadSegment = (load: ProgramHeader, fileEnd: number): LoadSegment => ({
  physical: Number(load.physical),
  memorySize: load.memorySize,
  fileSize: Math.max(0, Math.min(load.fileSize, fileEnd - load.offset)),
  offset: load.offset,
  virtual: load.virtual,
  flags: load.flags,
  align: load.align,
})

/**
 * Bitmaps are made for all of memory, and a damaged p_memsz may claim any size. A dump keeps at least the
 * struct pages, a thousandth of memory and more.
 */
function checkSize(size: number, source: ByteSource): void {
  const most = Math.max(TiB, storedSize(source) * 2 ** 16)
  if (size <= most) return
  throw new FormatError({
    file: source.name,
    field: 'PT_LOAD, p_memsz',
    expected: `at most ${hex(most)} bytes of memory in a file of ${storedSize(source)} bytes`,
    found: hex(size),
  })
}

/** Offsets of extents that are not in the file. */
const absent = { excluded: -1, truncated: -2 } as const

/** Where memory is in the file. */
function layOut(
  source: ByteSource,
  segments: readonly LoadSegment[],
  headers: readonly ProgramHeader[],
): ExtentMap {
  checkSize(totalSize(memoryOf(segments)), source)
  const list = new ExtentList()
  // Data wins over a segment that lost the same page, whatever their order in the file.
  for (const s of segments) list.push(s.physical, s.physical + s.fileSize, s.offset)
  segments.forEach((s, i) => {
    const promised = headers[i]?.fileSize ?? 0
    list.push(s.physical + s.fileSize, s.physical + promised, absent.truncated)
  })
  for (const s of segments) list.push(s.physical, s.physical + s.memorySize, absent.excluded)
  return list.overlay()
}

function lostMemory(extents: ExtentMap): LostMemory {
  const lost = new LostList()
  for (let i = 0; i < extents.length; i++) {
    if (extents.offset(i) === absent.truncated) lost.add(extents.start(i), extents.end(i), 'cut short')
  }
  return lost
}

const memoryOf = (segments: readonly LoadSegment[]): Ranges =>
  makeRanges(segments.map((s) => ({ start: s.physical, end: s.physical + s.memorySize })))

function elfMemory(source: ByteSource, segments: readonly LoadSegment[], extents: ExtentMap): PhysicalMemory {
  const ranges = memoryOf(segments)
  const read = cachedSmallReads(source)

  return {
    ranges,
    read(address, into) {
      for (let done = 0; done < into.length; ) {
        const at = address + done
        const i = extents.find(at)
        const left = into.length - done
        if (i === extents.length || extents.start(i) > at) throw new FaultError('physical', at, left, 'hole')
        const offset = extents.offset(i)
        if (offset < 0) {
          throw new FaultError('physical', at, left, offset === absent.excluded ? 'excluded' : 'truncated')
        }
        const length = Math.min(left, extents.end(i) - at)
        const part = length === into.length ? into : into.subarray(done, done + length)
        const got = read(offset + at - extents.start(i), part)
        if (got < length) throw new FaultError('physical', at + got, left - got, 'truncated')
        done += length
      }
    },
    storedPages(pageSize) {
      const bitmap = pageBitmap(ranges, pageSize, source.name)
      for (let i = 0; i < extents.length; i++) {
        if (extents.offset(i) < 0) continue
        bitmap.setRange(Math.ceil(extents.start(i) / pageSize), Math.ceil(extents.end(i) / pageSize))
      }
      return bitmap
    },
    [Symbol.dispose]: () => source[Symbol.dispose](),
  }
}

/** Reads of a few bytes go through 4 KiB blocks: a hit costs a fortieth of a system call. */
function cachedSmallReads(source: ByteSource): ByteSource['read'] {
  const block = 4 * KiB
  const cache = makePageCache({
    pageSize: block,
    limit: 8 * MiB,
    load: (number, into) => {
      into.fill(0, source.read(number * block, into))
    },
  })
  return (offset, into) => {
    const inBlock = offset % block
    if (into.length > 512 || inBlock + into.length > block || offset + into.length > source.size) {
      return source.read(offset, into)
    }
    const bytes = cache.get((offset - inBlock) / block)
    for (let i = 0; i < into.length; i++) into[i] = bytes[inBlock + i] as number
    return into.length
  }
}
