// RAM of the machine inside its image: the ranges of memory packed one after another from ramOffset on,
// holes between them not stored. Physical addresses in, file offsets inside.

import { MiB } from '../../core/address.ts'
import type { ByteSource } from '../../core/byte-source.ts'
import { FaultError } from '../../core/errors.ts'
import { ExtentMap } from '../../core/extents.ts'
import { intersect, overlaps, type Ranges, rangeSize, subtract } from '../../core/ranges.ts'
import { differingRuns } from '../../core/sparse.ts'
import type { MachineRam } from './image.ts'
import { ramOffset } from './layout.ts'

export interface ImageWriter {
  write(offset: number, bytes: Uint8Array): void
  sync(): void
}

/** Copies are done in pieces of this size: memory stays bounded. */
const copyChunk = MiB

/** Where each range of memory is in the file. */
function placeRanges(ranges: Ranges): ExtentMap {
  let offset = ramOffset
  const numbers = ranges.flatMap((range) => {
    const placed = [range.start, range.end, offset]
    offset += rangeSize(range)
    return placed
  })
  return new ExtentMap(Float64Array.from(numbers))
}

/** RAM over a file; without a writer it can only be read. */
export function openRam(file: ByteSource, writer: ImageWriter | undefined, ranges: Ranges): MachineRam {
  const extents = placeRanges(ranges)

  function read(address: number, into: Uint8Array): void {
    for (const { offset, start, end } of pieces(extents, address, into.length)) {
      const got = file.read(offset, into.subarray(start, end))
      if (start + got < end) {
        throw new FaultError('physical', address + start + got, end - start - got, 'truncated')
      }
    }
  }

  function write(address: number, bytes: Uint8Array): void {
    if (writer === undefined) throw new Error(`${file.name}: opened for reading only`)
    for (const { offset, start, end } of [...pieces(extents, address, bytes.length)]) {
      writer.write(offset, bytes.subarray(start, end))
    }
  }

  function copy(source: number, destination: number, length: number): void {
    const from = { start: source, end: source + length }
    if (length > 0 && overlaps(from, { start: destination, end: destination + length })) {
      throw new Error('source and destination of a copy overlap')
    }
    const bytes = new Uint8Array(Math.min(copyChunk, length))
    const old = new Uint8Array(bytes.length)
    for (let done = 0; done < length; done += copyChunk) {
      const part = Math.min(copyChunk, length - done)
      read(source + done, bytes.subarray(0, part))
      read(destination + done, old.subarray(0, part))
      for (const { start, end } of differingRuns(bytes.subarray(0, part), old.subarray(0, part))) {
        write(destination + done + start, bytes.subarray(start, end))
      }
    }
  }

  return { ranges, read, write, copy, sync: () => writer?.sync() }
}

interface Piece {
  /** Bytes into the file. */
  readonly offset: number
  /** The same bytes within what was asked for. */
  readonly start: number
  readonly end: number
}

/** The parts of the file that hold [address, address + length). @throws {FaultError} at the first hole. */
function* pieces(extents: ExtentMap, address: number, length: number): Generator<Piece> {
  for (let done = 0; done < length; ) {
    const at = address + done
    const index = extents.find(at)
    if (index === extents.length || extents.start(index) > at) {
      throw new FaultError('physical', at, length - done, 'hole')
    }
    const end = Math.min(length, done + extents.end(index) - at)
    yield { offset: extents.offset(index) + at - extents.start(index), start: done, end }
    done = end
  }
}

/** RAM as a source whose offsets are physical addresses; holes between ranges read as zeros. */
export function ramAsSource(ram: MachineRam, name: string): ByteSource {
  const size = ram.ranges.at(-1)?.end ?? 0
  return {
    name,
    size,
    read(offset, into) {
      const wanted = { start: offset, end: Math.min(offset + into.length, size) }
      if (wanted.start >= wanted.end) return 0
      const there = intersect(ram.ranges, [wanted])
      for (const { start, end } of subtract([wanted], there)) into.fill(0, start - offset, end - offset)
      for (const { start, end } of there) ram.read(start, into.subarray(start - offset, end - offset))
      return wanted.end - wanted.start
    },
    [Symbol.dispose]() {},
  }
}
