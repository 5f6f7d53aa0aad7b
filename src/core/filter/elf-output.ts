// Writes an ELF core file. Zero pages have to be known before the headers are, so with level bit 0 the
// memory is read twice. Pages are read once, in the order of memory, and go to every segment that has
// them: segments of a source may overlap.

import type { Dump } from '../../formats/dump.ts'
import { elfAbi, elfHeader, elfIncomplete } from '../../formats/elf/layout.ts'
import { type LoadHeader, writeElfHead } from '../../formats/elf/writer.ts'
import { elfMachines } from '../arch/elf-machines.ts'
import { linearBase } from '../arch/ppc64.ts'
import { Bitmap } from '../bitmap.ts'
import type { ByteSink } from '../byte-sink.ts'
import { pageFate } from '../page-batch.ts'
import { rangeSize } from '../ranges.ts'
import { leavesOutZeroPages } from './dump-level.ts'
import { cutSegments, type MemorySegment } from './elf-segments.ts'
import { type PackedBlock, type PipelineOptions, packPages } from './pipeline.ts'
import type { FilterPlan } from './plan.ts'
import type { Written } from './statistics.ts'
import { findZeroPages } from './zero-pass.ts'

/** @throws {DumpError} reading or writing failed */
export async function writeElf(
  dump: Dump,
  plan: FilterPlan,
  sink: ByteSink,
  options: PipelineOptions,
): Promise<Written> {
  const { pageSize } = plan
  const { keep, zeroPages } = await withoutZeroPages(dump, plan, options)
  const loads = cutSegments(segmentsOf(dump), { pageSize, keep, readable: plan.source.dumpable })
  const head = makeHead(dump, loads)
  for (const [offset, bytes] of head.parts) await sink.write(offset, bytes)

  const wanted = pagesOf(loads, pageSize, 'touched')
  const placesOf = makePlaces(loads)
  let lostPages = 0
  const work = { pageSize, wanted, store: { as: 'raw' } } as const
  for await (const block of packPages(dump, work, options)) {
    for (const size of block.sizes) lostPages += size === pageFate.lost ? 1 : 0
    for (const run of runsOf(block, wanted, pageSize)) {
      for (const { at, start, end } of placesOf(run)) {
        await sink.write(head.size + at, run.bytes.subarray(start - run.start, end - run.start))
      }
    }
  }
  await sink.write(...head.flags(plan.isCutShort || lostPages > 0))
  const size = loads.reduce((sum, load) => sum + load.fileSize, head.size)
  await sink.finish(size)
  return { zeroPages, lostPages, storedPages: pagesOf(loads, pageSize, 'begun').count(), size }
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
 * The source's segments; of a kdump file, its ranges of memory. Where ELF files have virtual addresses,
 * Power's linear map is given, which never moves, and elsewhere physical ones, as hypervisors do.
 */
function segmentsOf({ segments, memory, elfMachine }: Dump): readonly MemorySegment[] {
  if (segments.length > 0) return segments
  const base = elfMachine === elfMachines.ppc64 ? linearBase : 0n
  return memory.ranges.map(({ start, end }) => ({
    physical: start,
    memorySize: end - start,
    virtual: base + BigInt(start),
    flags: 7,
  }))
}

interface Head {
  /** As [offset, bytes], without e_flags. */
  readonly parts: readonly (readonly [number, Uint8Array])[]
  /** e_flags, known at the end. */
  readonly flags: (incomplete: boolean) => [number, Uint8Array]
  /** Where the data begins. */
  readonly size: number
}

function makeHead({ elfMachine, abi, elfFlags, noteBytes }: Dump, loads: readonly LoadHeader[]): Head {
  const write = (flags: number): Uint8Array =>
    writeElfHead({ machine: elfMachine, littleEndian: abi.littleEndian, flags, notes: noteBytes, loads })
  const at = elfHeader.layout(elfAbi(true, abi.littleEndian)).offsets.flags
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

/** Memory [start, end) belongs `at` so many bytes into the data. */
interface Place {
  readonly at: number
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
    return current.map(({ physical, fileSize, dataOffset }) => {
      const from = Math.max(physical, start)
      return { at: dataOffset + from - physical, start: from, end: Math.min(physical + fileSize, end) }
    })
  }
}
