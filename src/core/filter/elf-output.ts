// Writes an ELF core file. Zero pages have to be known before the headers are, so with level bit 0 the
// memory is read twice. Pages are read once, in the order of memory, and go to every segment that has
// them: segments of a source may overlap.

import type { Dump } from '../../formats/dump.ts'
import { elfAbi, elfHeader, elfIncomplete } from '../../formats/elf/layout.ts'
import { replaceEraseInfo } from '../../formats/elf/notes.ts'
import { type LoadHeader, writeElfHead } from '../../formats/elf/writer.ts'
import { elfMachines } from '../arch/elf-machines.ts'
import { linearBase } from '../arch/ppc64.ts'
import { Bitmap } from '../bitmap.ts'
import { type ByteSink, countWrites } from '../byte-sink.ts'
import type { NoSpaceError } from '../errors.ts'
import type { Mapping } from '../memory/virtual.ts'
import { pageFate } from '../page-batch.ts'
import { clip, type Ranges, rangeSize, totalSize } from '../ranges.ts'
import { leavesOutZeroPages } from './dump-level.ts'
import { cutSegments, type MemorySegment } from './elf-segments.ts'
import { newEraseInfo } from './erase-info.ts'
import { tryWrite } from './kdump-output.ts'
import { type PackedBlock, type PipelineOptions, packPages } from './pipeline.ts'
import type { FilterPlan } from './plan.ts'
import type { Written } from './statistics.ts'
import { findZeroPages } from './zero-pass.ts'

export interface ElfOptions extends PipelineOptions {
  /** Pages: as SegmentPages has it. */
  readonly shortestHole?: number | undefined
}

/**
 * @throws {DumpError} reading or writing failed; a full destination that can be mended (ByteSink.reserve)
 * is no failure: what was written before is a dump, marked as incomplete
 */
export async function writeElf(
  dump: Dump,
  plan: FilterPlan,
  output: ByteSink,
  options: ElfOptions,
): Promise<Written> {
  const { sink, bytes: writtenBytes } = countWrites(output)
  const { pageSize } = plan
  const { keep, zeroPages } = await withoutZeroPages(dump, plan, options)
  const segments = segmentsOf(dump, plan.fixedMappings)
  const loads = cutSegments(segments, {
    pageSize,
    keep,
    readable: plan.source.dumpable,
    shortestHole: options.shortestHole,
  })
  const wanted = pagesOf(loads, pageSize, 'touched')
  const erased = dump.eraseInfo + newEraseInfo(dump, wanted, pageSize)
  const head = makeHead(dump, loads, erased)
  for (const [offset, bytes] of head.parts) await sink.write(offset, bytes)

  const { full, written, lost } = await writePages(
    dump,
    { wanted, pageSize, loads, at: head.size },
    sink,
    options,
  )
  let size = loads.reduce((sum, load) => sum + load.fileSize, head.size)
  let stored = loads
  if (full !== undefined) {
    stored = loads.map((load) => {
      const fileSize = written.get(load) ?? 0
      return { ...load, fileSize, dataOffset: fileSize === 0 ? 0 : load.dataOffset }
    })
    size = stored.reduce((end, load) => Math.max(end, head.size + load.dataOffset + load.fileSize), head.size)
    // In place, where the disk has room: what a segment lost shows as left out, and the file as incomplete.
    for (const [offset, bytes] of makeHead(dump, stored, erased).parts) await sink.write(offset, bytes)
  }
  const storedPages = pagesOf(stored, pageSize, 'begun').count()
  const lostPages = full === undefined ? lost : pagesOf(loads, pageSize, 'begun').count() - storedPages
  await sink.write(...head.flags(plan.isCutShort || lostPages > 0))
  await sink.finish(size)
  return { zeroPages, lostPages, storedPages, size, writtenBytes: writtenBytes(), full }
}

interface PagesToWrite {
  readonly wanted: Bitmap
  readonly pageSize: number
  readonly loads: readonly LoadHeader[]
  /** Where the data begins in the output. */
  readonly at: number
}

interface PagesWritten {
  readonly full: NoSpaceError | undefined
  /** Bytes of each segment; they are written front to back. */
  readonly written: ReadonlyMap<LoadHeader, number>
  /** Pages that could not be read. */
  readonly lost: number
}

async function writePages(
  dump: Dump,
  { wanted, pageSize, loads, at }: PagesToWrite,
  sink: ByteSink,
  options: PipelineOptions,
): Promise<PagesWritten> {
  const placesOf = makePlaces(loads)
  const written = new Map<LoadHeader, number>()
  let lost = 0
  const work = { pageSize, wanted, store: { as: 'raw' } } as const
  for await (const block of packPages(dump, work, options)) {
    for (const size of block.sizes) lost += size === pageFate.lost ? 1 : 0
    for (const run of runsOf(block, wanted, pageSize)) {
      for (const { load, start, end: stop } of placesOf(run)) {
        const bytes = run.bytes.subarray(start - run.start, stop - run.start)
        const full = await tryWrite(sink, at + load.dataOffset + start - load.physical, bytes)
        const end = start + (full?.written ?? bytes.length)
        // A page that is there in part is no page.
        const wholeEnd = full === undefined ? end : end - (end % pageSize)
        written.set(load, Math.max(0, wholeEnd - load.physical))
        if (full !== undefined) return { full, written, lost }
      }
    }
  }
  return { full: undefined, written, lost }
}

/** Pages that begin inside a segment are tested; makedumpfile does not look at others either. */
async function withoutZeroPages(
  dump: Dump,
  plan: FilterPlan,
  options: PipelineOptions,
): Promise<{ keep: Bitmap; zeroPages: number }> {
  const { pageSize, source } = plan
  const keep = plan.keep.clone()
  let zeroPages = 0
  if (leavesOutZeroPages(plan.level)) {
    const wanted = plan.keep.and(source.stored)
    await findZeroPages(dump, { pageSize, wanted }, options, (pfn) => {
      keep.clear(pfn)
      zeroPages++
    })
  }
  return { keep, zeroPages }
}

/**
 * The source's segments. A kdump file has none: its ranges of memory, at the addresses where the kernel
 * has all RAM in one piece, or, where that is not known, at physical ones, as hypervisors do.
 */
function segmentsOf(
  { segments, memory, elfMachine }: Dump,
  fixed: readonly Mapping[],
): readonly MemorySegment[] {
  if (segments.length > 0) return segments
  // On Power it never moves.
  const usual = { start: elfMachine === elfMachines.ppc64 ? linearBase : 0n, physical: 0 }
  const linear = linearMap(memory.ranges, fixed) ?? usual
  return memory.ranges.map(({ start, end }) => ({
    physical: start,
    memorySize: end - start,
    virtual: linear.start + BigInt(start - linear.physical),
    flags: 7,
  }))
}

/** The area with the most RAM; the last one of those, because a small machine fits into the kernel image's. */
function linearMap(ranges: Ranges, fixed: readonly Mapping[]): Mapping | undefined {
  const covered = ({ start, end, physical }: Mapping): number =>
    totalSize(clip(ranges, { start: physical, end: physical + Number(end - start) }))
  return fixed.reduce<Mapping | undefined>(
    (best, one) => (best !== undefined && covered(best) > covered(one) ? best : one),
    undefined,
  )
}

interface Head {
  /** As [offset, bytes], without e_flags. */
  readonly parts: readonly (readonly [number, Uint8Array])[]
  /** e_flags, known at the end. */
  readonly flags: (incomplete: boolean) => [number, Uint8Array]
  /** Where the data begins. */
  readonly size: number
}

function makeHead(
  { elfMachine, abi: { littleEndian }, elfFlags, noteBytes }: Dump,
  loads: readonly LoadHeader[],
  erased: string,
): Head {
  const notes = replaceEraseInfo(noteBytes, erased, littleEndian)
  const write = (flags: number): Uint8Array =>
    writeElfHead({ machine: elfMachine, littleEndian, flags, notes, loads })
  const at = elfHeader.layout(elfAbi(true, littleEndian)).offsets.flags
  const whole = write(elfFlags)
  return {
    parts: [
      [0, whole.subarray(0, at)],
      [at + 4, whole.subarray(at + 4)],
    ],
    flags: (incomplete) => {
      const flags = incomplete ? elfFlags | elfIncomplete : elfFlags & ~elfIncomplete
      return [at, write(flags).subarray(at, at + 4)]
    },
    size: whole.length,
  }
}

/** Page frames with file data: any byte of them ('touched') or their first byte ('begun'). */
function pagesOf(loads: readonly LoadHeader[], pageSize: number, which: 'touched' | 'begun'): Bitmap {
  const round = which === 'touched' ? Math.floor : Math.ceil
  const end = loads.reduce((high, load) => Math.max(high, load.physical + load.fileSize), 0)
  const bitmap = new Bitmap(Math.ceil(end / pageSize))
  for (const { physical, fileSize } of loads) {
    if (fileSize > 0) bitmap.setRange(round(physical / pageSize), Math.ceil((physical + fileSize) / pageSize))
  }
  return bitmap
}

/** Bytes of memory [start, start + bytes.length). */
interface Run {
  readonly start: number
  readonly bytes: Uint8Array
}

/** Pages of a block that follow each other in memory. */
function* runsOf({ start, end, bytes }: PackedBlock, wanted: Bitmap, pageSize: number): Generator<Run> {
  let used = 0
  for (const pages of wanted.runs(start, end)) {
    const size = rangeSize(pages) * pageSize
    yield { start: pages.start * pageSize, bytes: bytes.subarray(used, used + size) }
    used += size
  }
}

/** Memory [start, end) of a segment. */
interface Place {
  readonly load: LoadHeader
  readonly start: number
  readonly end: number
}

/** Where the bytes of a run belong. Runs must be asked for in the order of memory. */
function makePlaces(loads: readonly LoadHeader[]): (run: Run) => Place[] {
  const waiting = loads.filter((load) => load.fileSize > 0).sort((a, b) => a.physical - b.physical)
  let next = 0
  let current: LoadHeader[] = []
  return ({ start, bytes }) => {
    const end = start + bytes.length
    for (; next < waiting.length && (waiting[next] as LoadHeader).physical < end; next++) {
      current.push(waiting[next] as LoadHeader)
    }
    current = current.filter(({ physical, fileSize }) => physical + fileSize > start)
    return current.map((load) => {
      const { physical, fileSize } = load
      return { load, start: Math.max(physical, start), end: Math.min(physical + fileSize, end) }
    })
  }
}
