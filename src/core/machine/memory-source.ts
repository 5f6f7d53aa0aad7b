// Where a new machine's memory comes from: a dump, a raw copy of memory, or nowhere. Gives what is
// stored, in ascending order, in pieces of bounded size.

import type { Dump } from '../../formats/dump.ts'
import { openDump } from '../../formats/index.ts'
import type { MachineCpu } from '../../formats/machine-image/state.ts'
import { alignDown, alignUp, hex, MiB } from '../address.ts'
import { findArch } from '../arch/index.ts'
import type { Bitmap } from '../bitmap.ts'
import { type ByteSource, FileSource } from '../byte-source.ts'
import { FaultError, UsageError, type Warning } from '../errors.ts'
import { Vmcoreinfo } from '../kernel/vmcoreinfo.ts'
import { makeRanges, type Range, type Ranges, subtract } from '../ranges.ts'
import { renderPlural } from '../units.ts'
import { dumpCpus } from './registers.ts'

export interface MemorySource {
  /** For people: where the machine came from. */
  readonly name: string
  /** Bytes. */
  readonly pageSize: number
  /** RAM of the machine, in whole pages. */
  readonly memory: Ranges
  /** CPUs and their registers, as far as the source has them. */
  readonly cpus: readonly MachineCpu[]
  /** Text of VMCOREINFO, when the source itself gives it. */
  readonly vmcoreinfo: string | undefined
  /** What of the memory there is to read, at most pieceSize at once; the rest is zero. */
  stored(): Iterable<Range>
  /** @throws {FaultError} */
  read(address: number, into: Uint8Array): void
  readonly warnings: readonly Warning[]
}

export const pieceSize = MiB
/** Of most distributions' ppc64le kernels. */
const usualPageSize = 65536

/** What the user gave. */
export interface SourceOptions {
  /** A dump; with `raw` a file whose byte N is the byte at physical address N. */
  readonly from?: string
  readonly raw?: boolean
  /** Size of a blank machine, bytes. */
  readonly memory?: number
  /** No memory there, though it lies below the end. */
  readonly holes?: Ranges
  readonly pageSize?: number
}

/**
 * The source to close when done.
 * @throws {UsageError} options that do not go together. @throws {FormatError} not a dump.
 */
export function openMemorySource(options: SourceOptions): MemorySource & Disposable {
  const { from, memory, holes = [], pageSize = usualPageSize } = options
  const isDump = from !== undefined && options.raw !== true
  if (from === undefined && memory === undefined) {
    throw new UsageError('nothing to make the machine of', {
      hint: 'give --from DUMP, or --memory 2G for a blank machine',
    })
  }
  if (from !== undefined && memory !== undefined)
    throw new UsageError('--from and --memory exclude each other')
  if (isDump && holes.length > 0) throw new UsageError('--hole: a dump says itself where memory is')
  if (isDump) return openDumpSource(from, options.pageSize)
  for (const hole of holes) checkAligned(hole, pageSize)
  const file = from === undefined ? undefined : new FileSource(from)
  const whole = { start: 0, end: alignDown(memory ?? file?.size ?? 0, pageSize) }
  const ranges = subtract([whole], makeRanges(holes))
  const source = file === undefined ? blankSource(ranges, pageSize) : rawSource(file, ranges, pageSize)
  return { ...source, [Symbol.dispose]: () => file?.[Symbol.dispose]() }
}

function openDumpSource(path: string, pageSize: number | undefined): MemorySource & Disposable {
  const dump = openDump(path)
  try {
    return { ...dumpSource(dump, pageSize), [Symbol.dispose]: () => dump[Symbol.dispose]() }
  } catch (error) {
    dump[Symbol.dispose]()
    throw error
  }
}

function checkAligned(hole: Range, pageSize: number): void {
  if (hole.start % pageSize === 0 && hole.end % pageSize === 0) return
  throw new UsageError(`--hole ${hex(hole.start)}-${hex(hole.end)}: not whole pages of ${pageSize} bytes`)
}

const blankSource = (memory: Ranges, pageSize: number): MemorySource => ({
  name: 'blank',
  pageSize,
  memory,
  cpus: [],
  vmcoreinfo: undefined,
  stored: () => [],
  read(address, into) {
    throw new FaultError('physical', address, into.length, 'hole')
  },
  warnings: [],
})

const rawSource = (file: ByteSource, memory: Ranges, pageSize: number): MemorySource => ({
  ...blankSource(memory, pageSize),
  name: `raw memory, ${file.name}`,
  *stored() {
    for (const range of memory) yield* pieces(range)
  },
  read(address, into) {
    const got = file.read(address, into)
    if (got < into.length) throw new FaultError('physical', address + got, into.length - got, 'truncated')
  },
  warnings: partialPage(file, pageSize),
})

function partialPage({ name, size }: ByteSource, pageSize: number): Warning[] {
  const rest = size % pageSize
  if (rest === 0) return []
  const message = `${name}: its last ${rest} bytes are no whole page of ${pageSize} bytes; the machine does not have them`
  return [{ code: 'NOT_STORED', message }]
}

/** @throws {UsageError} when the dump is of a machine that we cannot play. */
function dumpSource(dump: Dump, givenPageSize?: number): MemorySource {
  const arch = findArch(dump)
  if (arch?.name !== 'ppc64le') {
    const machine = arch?.utsMachine ?? `ELF machine ${dump.elfMachine}`
    throw new UsageError(`${dump.name}: the dump is of ${machine}`, {
      hint: 'machines are ppc64le: firmware-assisted dump is a feature of IBM Power',
    })
  }
  const { ranges } = dump.memory
  const statedPageSize = new Vmcoreinfo(dump.vmcoreinfo ?? '').pageSize ?? dump.pageSize
  const pageSize = givenPageSize ?? statedPageSize ?? usualPageSize
  const block = dump.pageSize ?? 4096
  const pages = dump.memory.storedPages(block)
  const whole = (range: Range, unit: number): Range => ({
    start: alignDown(range.start, unit),
    end: alignUp(range.end, unit),
  })
  return {
    name: dump.name,
    pageSize,
    memory: makeRanges(ranges.map((range) => whole(range, pageSize))),
    cpus: dumpCpus(dump, arch),
    vmcoreinfo: dump.vmcoreinfo,
    *stored() {
      for (const range of ranges) yield* storedPieces(range, pages, block)
    },
    read: dump.memory.read,
    warnings: [...dump.warnings, ...missingMemory(dump, ranges, pages, block)],
  }
}

/**
 * The stored pages of a range. A page that the range enters in its middle is never in the bitmap, which
 * judges by first bytes; kernels export such a range whole.
 */
function* storedPieces(range: Range, pages: Bitmap, block: number): Generator<Range> {
  const firstWhole = Math.min(alignUp(range.start, block), range.end)
  if (range.start < firstWhole) yield { start: range.start, end: firstWhole }
  for (const run of pages.runs(Math.ceil(firstWhole / block), Math.ceil(range.end / block))) {
    yield* pieces({ start: run.start * block, end: Math.min(run.end * block, range.end) })
  }
}

function* pieces(range: Range): Generator<Range> {
  for (let start = range.start; start < range.end; start += pieceSize) {
    yield { start, end: Math.min(start + pieceSize, range.end) }
  }
}

/** Pages that a filter left out: no harm when it left out only zeros. */
function missingMemory(dump: Dump, ranges: Ranges, pages: Bitmap, block: number): Warning[] {
  const onlyZeros = 1
  if (dump.kdump !== undefined && (dump.kdump.dumpLevel & ~onlyZeros) === 0) return []
  const total = ranges.reduce(
    (sum, { start, end }) => sum + Math.ceil(end / block) - Math.ceil(start / block),
    0,
  )
  const missing = total - pages.count()
  if (missing <= 0) return []
  const message = `${dump.name}: ${renderPlural(missing, 'page')} of ${block} bytes left out of the dump; the machine has zeros there`
  return [{ code: 'NOT_STORED', message }]
}
