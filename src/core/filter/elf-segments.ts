// How a filter shows in an ELF file: memory that was left out is the part of a segment behind its file
// data (p_filesz < p_memsz), so a segment ends where a hole begins. Holes of a few pages are not worth
// a program header and are stored after all. Segments follow each other in memory as those of the
// source did. Source: makedumpfile write_elf_pages_cyclic, get_loads_dumpfile_cyclic; unlike there, a
// segment without data has a p_offset, because crash up to 8 takes the lowest one for the header's size.

import type { LoadHeader } from '../../formats/elf/writer.ts'
import type { Bitmap } from '../bitmap.ts'

/** makedumpfile's PFN_EXCLUDED. */
export const usualShortestHole = 256

export interface MemorySegment {
  readonly physical: number
  readonly memorySize: number
  readonly virtual: bigint
  readonly flags: number
}

export interface SegmentPages {
  readonly pageSize: number
  /** Pages to keep. */
  readonly keep: Bitmap
  /** Pages the source has, at least in part; others are never stored, however short the hole. */
  readonly readable: Bitmap
  /** A hole of fewer pages is stored; makedumpfile's when undefined. */
  readonly shortestHole?: number | undefined
}

/** The output's segments, in the order of the source's. */
export function cutSegments(segments: readonly MemorySegment[], pages: SegmentPages): LoadHeader[] {
  let dataOffset = 0
  return segments.flatMap((segment) =>
    cutSegment(segment, pages).map(({ start, memorySize, fileSize }) => {
      const header = {
        flags: segment.flags,
        physical: start,
        virtual: BigInt.asUintN(64, segment.virtual + BigInt(start - segment.physical)),
        memorySize,
        fileSize,
        dataOffset,
      }
      dataOffset += fileSize
      return header
    }),
  )
}

interface Piece {
  readonly start: number
  memorySize: number
  fileSize: number
}

const nextSet = (bitmap: Bitmap, from: number): number => {
  const found = bitmap.next(from)
  return found < 0 ? Number.POSITIVE_INFINITY : found
}

function cutSegment(
  { physical, memorySize }: MemorySegment,
  { pageSize, keep, readable, shortestHole = usualShortestHole }: SegmentPages,
): Piece[] {
  const end = physical + memorySize
  const newPiece = (start: number): Piece => ({ start, memorySize: 0, fileSize: 0 })
  let piece = newPiece(physical)
  const pieces = [piece]
  let hole = 0
  let holeIsReadable = true
  for (let at = physical; at < end; ) {
    const pfn = Math.floor(at / pageSize)
    // A segment that begins inside a page keeps those bytes: no struct page was asked about them.
    const isFraction = at % pageSize !== 0
    const isKept = keep.has(pfn) || (isFraction && readable.has(pfn))
    // Holes are passed over at once: a segment may be terabytes of them.
    const stop = isKept || isFraction ? pfn + 1 : nextSet(keep, pfn)
    const next = Math.min(stop * pageSize, end)
    if (!isKept) {
      const pages = Math.ceil(next / pageSize) - pfn
      hole += pages
      holeIsReadable &&= readable.count(pfn, pfn + pages) === pages
    } else {
      if (hole >= shortestHole || !holeIsReadable) {
        piece = newPiece(at)
        pieces.push(piece)
      }
      // Whatever was passed over in this piece is stored with the page.
      piece.fileSize = next - piece.start
      hole = 0
      holeIsReadable = true
    }
    piece.memorySize = next - piece.start
    at = next
  }
  return pieces
}
