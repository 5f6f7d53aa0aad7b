// Where everything goes in a kdump-compressed file, and the bytes of all that is not a page. How many
// pages there are is known from the bitmap before the first is read, so descriptors and data can be
// written side by side, and by several workers. Follows makedumpfile -c to the byte.
// Source: makedumpfile makedumpfile.c (write_kdump_header, write_kdump_pages_and_bitmap_cyclic).

import type { Bitmap } from '../../core/bitmap.ts'
import type { Abi } from '../../core/struct.ts'
import type { Utsname } from '../dump.ts'
import { noteTypes, parseNotes } from '../elf/notes.ts'
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
  readonly dumpLevel: number
  /** Flag of the codec asked for, 0 for none; each page's descriptor says what was done with it. */
  readonly status: number
  readonly physBase: bigint
  /** ELF notes, kept verbatim: their order is the only link from registers to CPUs. */
  readonly noteBytes: Uint8Array
  /** Pages that exist. Its length is max_mapnr. */
  readonly exists: Bitmap
  /** Pages to be written, a subset of `exists` of the same length; zero pages among them. */
  readonly stored: Bitmap
  /** Page frames of this file when the dump is split; `start` a multiple of 64, or crash miscounts. */
  readonly part?: { readonly start: number; readonly end: number }
}

export interface Piece {
  /** Bytes into the file. */
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface KdumpLayout {
  /**
   * Headers, notes, bitmaps and the shared zero page, in makedumpfile's order of writing. What is between
   * them is zero.
   */
  readonly pieces: readonly Piece[]
  /** Of the page descriptors; the n-th belongs to the n-th page of `stored` (see countSetBits). */
  readonly descriptorsAt: number
  /** Also in a part of a split dump, whose unused descriptors stay zero. */
  readonly descriptorCount: number
  /** The one page of zeros that all zero pages' descriptors point at; undefined unless dump level bit 0 is set. */
  readonly zeroPageAt: number | undefined
  /** Where the first page's data goes; the others follow without gaps, in the order of page frames. */
  readonly dataAt: number
}

export function makeKdumpLayout(contents: KdumpContents): KdumpLayout {
  const { abi, blockSize, noteBytes, exists, stored } = contents
  const subSize = subHeader.layout(abi).size
  const offsets = kdumpOffsets(blocksOf(contents), exists.length)
  const descriptorCount = stored.count()
  const descriptorsEnd = offsets.descriptors + descriptorCount * descriptorSize
  const hasZeroPage = (contents.dumpLevel & 1) !== 0
  const pieces = [
    { offset: 0, bytes: writeKdumpHeader(contents) },
    { offset: blockSize + subSize, bytes: noteBytes },
    { offset: blockSize, bytes: subHeader.write(subHeaderOf(contents, blockSize + subSize), abi) },
    { offset: offsets.bitmap1, bytes: exists.bytes },
    { offset: offsets.bitmap2, bytes: stored.bytes },
    ...(hasZeroPage ? [{ offset: descriptorsEnd, bytes: new Uint8Array(blockSize) }] : []),
  ]
  return {
    pieces: pieces.filter(({ bytes }) => bytes.length > 0),
    descriptorsAt: offsets.descriptors,
    descriptorCount,
    zeroPageAt: hasZeroPage ? descriptorsEnd : undefined,
    dataAt: descriptorsEnd + (hasZeroPage ? blockSize : 0),
  }
}

/** The main header alone: to be written again over the first with statusFlags.incomplete when the disk is full. */
export function writeKdumpHeader(contents: KdumpContents): Uint8Array {
  const { abi, noteBytes, exists } = contents
  const isPrstatus = ({ name, type }: { name: string; type: number }) =>
    name === 'CORE' && type === noteTypes.prstatus
  return kdumpHeader.write(
    {
      signature,
      headerVersion: 6,
      utsname: contents.utsname,
      seconds: BigInt(contents.crashTime),
      status: contents.status,
      ...blocksOf(contents),
      maxMapnr: Math.min(exists.length, 0xffff_ffff),
      cpuCount: parseNotes(noteBytes, abi.littleEndian, 'notes').filter(isPrstatus).length,
    },
    abi,
  )
}

const blocksOf = ({ abi, blockSize, noteBytes, exists }: KdumpContents) => ({
  blockSize,
  subHeaderBlocks: Math.ceil((subHeader.layout(abi).size + noteBytes.length) / blockSize),
  bitmapBlocks: (2 * bitmapBytes(exists.length, blockSize)) / blockSize,
})

function subHeaderOf(contents: KdumpContents, noteOffset: number): Partial<SubHeader> {
  const { abi, noteBytes, exists, part } = contents
  const notes = parseNotes(noteBytes, abi.littleEndian, 'notes')
  const vmcoreinfo = notes.find(({ name, type }) => name === 'VMCOREINFO' && type === noteTypes.vmcoreinfo)
  return {
    physBase: contents.physBase,
    dumpLevel: contents.dumpLevel,
    maxMapnr64: exists.length,
    ...(noteBytes.length === 0 ? {} : { noteOffset, noteSize: noteBytes.length }),
    ...(vmcoreinfo === undefined
      ? {}
      : { vmcoreinfoOffset: noteOffset + vmcoreinfo.descOffset, vmcoreinfoSize: vmcoreinfo.desc.length }),
    ...(part === undefined
      ? {}
      : {
          split: 1,
          startPfn: part.start % 2 ** 32,
          endPfn: part.end % 2 ** 32,
          startPfn64: part.start,
          endPfn64: part.end,
        }),
  }
}

/** Put a page descriptor at byte `at` of a buffer of them; for loops over millions of pages. */
export function putDescriptor(
  view: DataView,
  at: number,
  descriptor: { readonly offset: number; readonly size: number; readonly flags: number },
  littleEndian: boolean,
): void {
  const high = Math.floor(descriptor.offset / 2 ** 32)
  view.setUint32(at + (littleEndian ? 0 : 4), descriptor.offset % 2 ** 32, littleEndian)
  view.setUint32(at + (littleEndian ? 4 : 0), high, littleEndian)
  view.setUint32(at + 8, descriptor.size, littleEndian)
  view.setUint32(at + 12, descriptor.flags, littleEndian)
  view.setUint32(at + 16, 0)
  view.setUint32(at + 20, 0)
}
