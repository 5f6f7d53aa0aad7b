// Where everything goes in a kdump-compressed file, and the bytes of all that is not a page. How many
// pages there are is known from the bitmap before the first is read, so headers come first and the
// pages follow as they are packed. Follows makedumpfile -c to the byte.
// Source: makedumpfile makedumpfile.c (write_kdump_header, write_kdump_pages_and_bitmap_cyclic).

import type { Bitmap } from '../../core/bitmap.ts'
import type { Range } from '../../core/ranges.ts'
import type { Abi } from '../../core/struct.ts'
import type { Utsname } from '../dump.ts'
import { findVmcoreinfoNote, parseNotes } from '../elf/notes.ts'
import {
  bitmapBytes,
  descriptorSize,
  kdumpHeader,
  kdumpOffsets,
  type SubHeader,
  signature,
  subHeader,
} from './layout.ts'

export interface KdumpContents {
  readonly abi: Abi
  /** Page size of the machine, bytes. */
  readonly blockSize: number
  readonly utsname: Utsname
  /** Seconds since 1970, 0 when unknown. */
  readonly crashTime: number
  /** NT_PRSTATUS notes. */
  readonly cpuCount: number
  readonly physBase: bigint
  readonly dumpLevel: number
  /** ELF notes, kept verbatim: their order is the only link from registers to CPUs. */
  readonly noteBytes: Uint8Array
  /** Pages that exist. Its length is max_mapnr. */
  readonly exists: Bitmap
  /** Pages that get a descriptor, a subset of `exists` of the same length; zero pages among them. */
  readonly stored: Bitmap
  /** Page frames of this file, when it is one of a set; there is room for the descriptors of all. */
  readonly part?: Range | undefined
}

export interface Piece {
  /** Bytes into the file. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface KdumpLayout {
  /** Headers without the status word and the place of what was erased, notes, bitmaps, the page of zeros. What is between them is zero. */
  readonly pieces: readonly Piece[]
  /** The status word, once it is known whether pages were lost: codec's flag and statusFlags. */
  status(flags: number): Piece
  /** Where in the file the text of what was erased is, once it is there. */
  eraseInfo(offset: number, size: number): Piece
  /** Of the page descriptors; the n-th belongs to the n-th page of `stored`, counted from the part's first. */
  readonly descriptorsAt: number
  /** The page that all zero pages' descriptors share; undefined unless dump level bit 0 is set. */
  readonly zeroPageAt: number | undefined
  /** Where the first page's data goes; the others follow without gaps, in the order of page frames. */
  readonly dataAt: number
}

export function makeKdumpLayout(contents: KdumpContents): KdumpLayout {
  const { abi, blockSize, noteBytes, exists, stored, dumpLevel } = contents
  const subSize = subHeader.layout(abi).size
  const blocks = {
    blockSize,
    subHeaderBlocks: Math.ceil((subSize + noteBytes.length) / blockSize),
    bitmapBlocks: (2 * bitmapBytes(exists.length, blockSize)) / blockSize,
  }
  const offsets = kdumpOffsets(blocks, exists.length)
  const descriptorsEnd = offsets.descriptors + stored.count() * descriptorSize
  const zeroPageAt = (dumpLevel & 1) !== 0 ? descriptorsEnd : undefined
  const noteOffset = blockSize + subSize
  const header = (status: number): Uint8Array =>
    kdumpHeader.write(
      {
        ...blocks,
        signature,
        headerVersion: 6,
        utsname: contents.utsname,
        seconds: BigInt(contents.crashTime),
        status,
        maxMapnr: Math.min(exists.length, 0xffff_ffff),
        cpuCount: contents.cpuCount,
      },
      abi,
    )
  const statusAt = kdumpHeader.layout(abi).offsets.status
  const afterStatus = statusAt + 4
  const sub = subHeader.write(subHeaderOf(contents, noteOffset), abi)
  const eraseInfoAt = subHeader.layout(abi).offsets.eraseinfoOffset
  const afterEraseInfo = subHeader.layout(abi).offsets.startPfn64
  return {
    pieces: [
      { offset: 0, bytes: header(0).subarray(0, statusAt) },
      { offset: afterStatus, bytes: header(0).subarray(afterStatus) },
      { offset: noteOffset, bytes: noteBytes },
      { offset: blockSize, bytes: sub.subarray(0, eraseInfoAt) },
      { offset: blockSize + afterEraseInfo, bytes: sub.subarray(afterEraseInfo) },
      { offset: offsets.bitmap1, bytes: exists.bytes },
      { offset: offsets.bitmap2, bytes: stored.bytes },
      { offset: descriptorsEnd, bytes: new Uint8Array(zeroPageAt === undefined ? 0 : blockSize) },
    ].filter(({ bytes }) => bytes.length > 0),
    status: (flags) => ({ offset: statusAt, bytes: header(flags).subarray(statusAt, afterStatus) }),
    eraseInfo(offset, size) {
      const bytes = subHeader.write({ eraseinfoOffset: offset, eraseinfoSize: size }, abi)
      return { offset: blockSize + eraseInfoAt, bytes: bytes.subarray(eraseInfoAt, afterEraseInfo) }
    },
    descriptorsAt: offsets.descriptors,
    zeroPageAt,
    dataAt: descriptorsEnd + (zeroPageAt === undefined ? 0 : blockSize),
  }
}

function subHeaderOf(contents: KdumpContents, noteOffset: number): Partial<SubHeader> {
  const { physBase, dumpLevel, noteBytes, exists, abi, part } = contents
  const notes = parseNotes(noteBytes, abi.littleEndian, 'notes')
  const vmcoreinfo = findVmcoreinfoNote(notes)
  return {
    physBase,
    dumpLevel,
    maxMapnr64: exists.length,
    ...(part === undefined
      ? {}
      : {
          split: 1,
          startPfn: part.start % 2 ** 32,
          endPfn: part.end % 2 ** 32,
          startPfn64: part.start,
          endPfn64: part.end,
        }),
    ...(noteBytes.length === 0 ? {} : { noteOffset, noteSize: noteBytes.length }),
    ...(vmcoreinfo === undefined
      ? {}
      : { vmcoreinfoOffset: noteOffset + vmcoreinfo.descOffset, vmcoreinfoSize: vmcoreinfo.desc.length }),
  }
}

/** Put a page descriptor at byte `at` of a buffer of them: pageDescriptor, for loops over millions of pages. */
export function putDescriptor(
  view: DataView,
  at: number,
  littleEndian: boolean,
  offset: number,
  size: number,
  flags: number,
): void {
  const low = littleEndian ? 0 : 4
  view.setUint32(at + low, offset % 2 ** 32, littleEndian)
  view.setUint32(at + 4 - low, Math.floor(offset / 2 ** 32), littleEndian)
  view.setUint32(at + 8, size, littleEndian)
  view.setUint32(at + 12, flags, littleEndian)
  view.setUint32(at + 16, 0)
  view.setUint32(at + 20, 0)
}
