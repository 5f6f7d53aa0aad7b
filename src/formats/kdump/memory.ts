// The pages of a kdump-compressed file, or of the parts of a split set, as physical memory. What cannot
// be had of a single page (lost, damaged, of an unknown codec) is a fault of that page, not of the file.

import { hex, MiB } from '../../core/address.ts'
import type { Bitmap } from '../../core/bitmap.ts'
import type { ByteSource } from '../../core/byte-source.ts'
import { CodecError } from '../../core/codecs/codec.ts'
import { findCodec } from '../../core/codecs/index.ts'
import { FaultError, FormatError } from '../../core/errors.ts'
import { makePageCache } from '../../core/memory/page-cache.ts'
import { type PhysicalMemory, pageBitmap } from '../../core/memory/physical.ts'
import type { Range, Ranges } from '../../core/ranges.ts'
import { LostList, type LostMemory, type LostRange } from '../lost.ts'
import { countSetBits, type Descriptor, type DescriptorReader, descriptorReader } from './descriptors.ts'
import type { KdumpHeaders } from './headers.ts'
import { descriptorSize, statusFlags } from './layout.ts'

export interface KdumpPart {
  readonly source: ByteSource
  readonly headers: KdumpHeaders
}

export interface KdumpMemory extends PhysicalMemory {
  /** Names of the files that end before their pages do. */
  readonly cutShort: readonly string[]
  lost(): LostMemory
}

/** Pages kept unpacked, bytes. */
const cacheBytes = 32 * MiB

/**
 * @param parts in the order of their pages; between them, pages of parts that are missing
 * @param exists the first bitmap: pages of the machine
 * @param stored the second bitmap: pages with a descriptor
 */
export function kdumpMemory(parts: readonly KdumpPart[], exists: Bitmap, stored: Bitmap): KdumpMemory {
  const first = parts[0] as KdumpPart
  const { blockSize } = first.headers.header
  const ranges = existingRanges(exists, blockSize, first.source.name)
  const countBefore = countSetBits(stored)
  const files = withGaps(
    parts.map((part) => openPart(part, countBefore)),
    stored.length,
  )
  const fileOf = (pfn: number) => files.find(({ end }) => pfn < end) ?? (files.at(-1) as PartReader)
  const load = (pfn: number, into: Uint8Array) => fileOf(pfn).load(pfn, into)
  const cache = makePageCache({ pageSize: blockSize, limit: cacheBytes, load })

  return {
    ranges,
    cutShort: files.flatMap((file) => file.cutShort ?? []),
    lost() {
      const lost = new LostList()
      for (const file of files) {
        file.findLost(stored, (pfn, reason) => lost.add(pfn * blockSize, (pfn + 1) * blockSize, reason))
      }
      return lost
    },
    read(address, into) {
      for (let done = 0; done < into.length; ) {
        const at = address + done
        const pfn = Math.floor(at / blockSize)
        const inPage = at - pfn * blockSize
        const length = Math.min(into.length - done, blockSize - inPage)
        if (!exists.has(pfn)) throw new FaultError('physical', at, into.length - done, 'hole')
        if (!stored.has(pfn)) throw new FaultError('physical', at, into.length - done, 'excluded')
        if (length === blockSize) load(pfn, into.subarray(done, done + length))
        else copy(cache.get(pfn), inPage, into, done, length)
        done += length
      }
    },
    storedPages(pageSize) {
      const bitmap = pageBitmap(ranges, pageSize, first.source.name)
      const have = stored.clone()
      for (const file of files) file.findLost(stored, (pfn) => have.clear(pfn))
      for (const { start, end } of runs(have.and(exists), blockSize)) {
        bitmap.setRange(Math.ceil(start / pageSize), Math.ceil(end / pageSize))
      }
      return bitmap
    },
    [Symbol.dispose]() {
      for (const { source } of parts) source[Symbol.dispose]()
    },
  }
}

/** Short pieces in a loop: a subarray for each would cost more than the bytes. */
function copy(from: Uint8Array, at: number, into: Uint8Array, done: number, length: number): void {
  if (length > 64) into.set(from.subarray(at, at + length), done)
  else for (let i = 0; i < length; i++) into[done + i] = from[at + i] as number
}

/** Runs of set bits, in bytes of memory. A filtered dump may have more than there is room for at once. */
function* runs(bitmap: Bitmap, blockSize: number): Generator<Range> {
  for (const { start, end } of bitmap.runs()) yield { start: start * blockSize, end: end * blockSize }
}

/** Pieces of RAM of any machine: thousands at most. */
const maxRanges = 2 ** 20

/** Where RAM was. @throws {FormatError} the bitmap is in so many pieces that it is none. */
function existingRanges(exists: Bitmap, blockSize: number, file: string): Ranges {
  const ranges: Range[] = []
  for (const run of runs(exists, blockSize)) {
    if (ranges.length === maxRanges) {
      const expected = `at most ${maxRanges} ranges of memory`
      throw new FormatError({ file, field: 'kdump bitmap of existing pages', expected, found: 'more' })
    }
    ranges.push(run)
  }
  return ranges
}

interface PartReader {
  /** Page frames [start, end). */
  readonly start: number
  readonly end: number
  /** Unpack a page that is stored in this part. @throws {FaultError} 'truncated'. */
  load(pfn: number, into: Uint8Array): void
  /** Name of the file, when it ends before its pages do. */
  readonly cutShort?: string | undefined
  /** Calls `visit` for those of this part's stored pages whose data is not there. */
  findLost(stored: Bitmap, visit: (pfn: number, reason: LostRange['reason']) => void): void
}

/** Parts that were not given as readers without a page. */
function withGaps(files: readonly PartReader[], end: number): readonly PartReader[] {
  let next = 0
  const all: PartReader[] = []
  for (const file of files) {
    if (file.start > next) all.push(missingPart(next, file.start))
    all.push(file)
    next = file.end
  }
  return next < end ? [...all, missingPart(next, end)] : all
}

const missingPart = (start: number, end: number): PartReader => ({
  start,
  end,
  load(pfn, into) {
    throw new FaultError('physical', pfn * into.length, into.length, 'truncated')
  },
  findLost(stored, visit) {
    for (let pfn = stored.next(start); pfn >= 0 && pfn < end; pfn = stored.next(pfn + 1)) {
      visit(pfn, 'part missing')
    }
  },
})

function openPart({ source, headers }: KdumpPart, countBefore: (pfn: number) => number): PartReader {
  const { header, abi, offsets, part } = headers
  const { blockSize } = header
  const base = countBefore(part.start)
  const count = countBefore(part.end) - base
  const descriptor = descriptorReader(source, offsets.descriptors, abi.littleEndian)
  const packed = new Uint8Array(blockSize)
  const incomplete = (header.status & statusFlags.incomplete) !== 0
  // Without its bitmaps a file does not say which pages it has.
  const isHeadersOnly = source.size < offsets.descriptors
  const cutShort = isHeadersOnly || (!incomplete && isCutShort(source, descriptor, count))

  function load(pfn: number, into: Uint8Array): void {
    const index = countBefore(pfn) - base
    try {
      unpack(source, descriptor(index), packed, into)
    } catch (cause) {
      if (!(cause instanceof CodecError)) throw cause
      const problem = new FormatError({
        file: source.name,
        offset: offsets.descriptors + index * descriptorSize,
        field: `page descriptor of page frame ${hex(pfn)}`,
        found: cause.message,
        cause,
      })
      throw new FaultError('physical', pfn * blockSize, blockSize, 'truncated', { cause: problem })
    }
  }

  const findLost: PartReader['findLost'] = (pages, visit) => {
    if (!incomplete && !cutShort) return
    let index = 0
    for (let pfn = pages.next(part.start); pfn >= 0 && pfn < part.end; pfn = pages.next(pfn + 1)) {
      const found = descriptor(index++)
      if (!isLost(found, source.size)) continue
      visit(pfn, found.there && found.offset === 0 ? 'not written' : 'cut short')
    }
  }

  return { ...part, load, cutShort: cutShort ? source.name : undefined, findLost }
}

/** @throws {CodecError} saying what is wrong with the descriptor or the data. */
function unpack(
  source: ByteSource,
  descriptor: Readonly<Descriptor>,
  packed: Uint8Array,
  into: Uint8Array,
): void {
  const { offset, size, flags, there } = descriptor
  const blockSize = into.length
  if (!there) throw new CodecError('the file ends before the descriptor')
  if (offset === 0) throw new CodecError('offset 0: the page was lost when the dump was written')
  if (size > blockSize) throw new CodecError(`${size} bytes, more than a block`)
  const codec = findCodec(flags)
  if (codec === undefined && (flags !== 0 || size !== blockSize)) {
    throw new CodecError(`flags ${hex(flags)} and ${size} bytes: neither a known codec nor a whole page`)
  }
  const target = codec === undefined ? into : packed.subarray(0, size)
  if (source.read(offset, target) < target.length) throw new CodecError('the file ends inside the data')
  codec?.decompress(target, into)
}

const isLost = ({ offset, size, there }: Readonly<Descriptor>, fileSize: number): boolean =>
  !there || offset === 0 || offset + size > fileSize

/** Pages are written in order, so the last few tell whether the end of the file is missing. */
function isCutShort(source: ByteSource, descriptor: DescriptorReader, count: number): boolean {
  for (let index = Math.max(0, count - 256); index < count; index++) {
    if (isLost(descriptor(index), source.size)) return true
  }
  return false
}
