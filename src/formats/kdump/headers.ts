// Reads and checks what stands before the pages of a kdump-compressed file. The file does not say its
// word size or byte order: they are found by trying which makes sense of the header, LP64 first,
// because a 32-bit file read as LP64 has sub_hdr_size 0 and is refused, while the reverse may pass.

import { hex, isPowerOfTwo, MiB } from '../../core/address.ts'
import { Bitmap } from '../../core/bitmap.ts'
import { type ByteSource, readExactly, storedSize } from '../../core/byte-source.ts'
import { FormatError } from '../../core/errors.ts'
import { maxPages } from '../../core/memory/physical.ts'
import type { Abi } from '../../core/struct.ts'
import {
  bitmapBytes,
  blockSizes,
  type KdumpHeader,
  type KdumpOffsets,
  kdumpAbi,
  kdumpHeader,
  kdumpOffsets,
  type SubHeader,
  subHeader,
} from './layout.ts'

export interface KdumpHeaders {
  readonly abi: Abi
  readonly header: KdumpHeader
  readonly sub: SubHeader
  readonly offsets: KdumpOffsets
  /** Number of page frames the bitmaps cover. */
  readonly maxMapnr: number
  /** Page frames of this part: [start, end). The whole machine when the file is not split. */
  readonly part: { readonly start: number; readonly end: number }
}

/** @throws {FormatError} a header that makes no sense, or a file that ends inside the headers. */
export function readKdumpHeaders(source: ByteSource): KdumpHeaders {
  const { header, abi: headerAbi } = readHeader(source)
  const { blockSize, headerVersion } = header
  const subBytes = readExactly(
    source,
    blockSize,
    subHeader.layout(kdumpAbi(8, true)).size,
    'kdump sub-header',
  )
  const parseSub = (abi: Abi): SubHeader =>
    subHeader.parse(
      subBytes,
      abi,
      { file: source.name, base: blockSize, what: 'kdump sub-header' },
      headerVersion,
    )
  const abi = headerAbi.wordBytes === 8 ? headerAbi : narrowAbi(header, headerAbi, parseSub)
  const sub = parseSub(abi)
  const maxMapnr = sub.maxMapnr64 || header.maxMapnr
  const part = partOf(sub, maxMapnr)
  checkNumbers(source, header, abi, maxMapnr, part)
  return { abi, header, sub, offsets: kdumpOffsets(header, maxMapnr), maxMapnr, part }
}

function readHeader(source: ByteSource): { header: KdumpHeader; abi: Abi } {
  const bytes = readExactly(source, 0, kdumpHeader.layout(kdumpAbi(8, true)).size, 'kdump header')
  const tried = ([8, 4] as const).flatMap((wordBytes) =>
    [true, false].map((littleEndian) => {
      const abi = kdumpAbi(wordBytes, littleEndian)
      return { abi, header: kdumpHeader.parse(bytes, abi, { file: source.name, what: 'kdump header' }) }
    }),
  )
  const found = tried.find(({ header }) => isPlausible(header))
  if (found !== undefined) return found
  const { offsets } = kdumpHeader.layout(kdumpAbi(8, true))
  const { blockSize, subHeaderBlocks, bitmapBlocks } = (tried[0] as { header: KdumpHeader }).header
  throw new FormatError({
    file: source.name,
    offset: offsets.blockSize,
    field: 'kdump header, blockSize',
    expected: `a power of two from ${blockSizes.min} to ${blockSizes.max}, then at least one block of sub-header and of bitmap`,
    found: `${blockSize}, ${subHeaderBlocks}, ${bitmapBlocks} (as a 64-bit little-endian file)`,
  })
}

const isPlausible = ({ headerVersion, blockSize, subHeaderBlocks, bitmapBlocks }: KdumpHeader): boolean =>
  headerVersion >= 0 &&
  headerVersion < 0x10000 &&
  blockSize >= blockSizes.min &&
  blockSize <= blockSizes.max &&
  isPowerOfTwo(blockSize) &&
  subHeaderBlocks >= 1 &&
  bitmapBlocks >= 1

/**
 * i386 packs 64-bit members to 4 bytes, other 32-bit machines do not. The machine's name decides; where
 * there is none (QEMU before 2.x) it is i386 when VMCOREINFO then lies where it may, as in libkdumpfile.
 */
function narrowAbi(header: KdumpHeader, abi: Abi, parseSub: (abi: Abi) => SubHeader): Abi {
  const { machine } = header.utsname
  const packed: Abi = { ...abi, align64: 4 }
  if (machine !== '') return /^(i\d86|x86)/.test(machine) ? packed : abi
  const { vmcoreinfoOffset = 0, vmcoreinfoSize = 0 } = parseSub(packed)
  const end = (1 + header.subHeaderBlocks) * header.blockSize
  const inside = vmcoreinfoOffset > header.blockSize && vmcoreinfoOffset + vmcoreinfoSize <= end
  return inside || (vmcoreinfoOffset === 0 && vmcoreinfoSize === 0) ? packed : abi
}

function partOf(sub: SubHeader, maxMapnr: number): { start: number; end: number } {
  if ((sub.split ?? 0) === 0) return { start: 0, end: maxMapnr }
  return { start: sub.startPfn64 ?? sub.startPfn ?? 0, end: sub.endPfn64 ?? sub.endPfn ?? maxMapnr }
}

function checkNumbers(
  source: ByteSource,
  header: KdumpHeader,
  abi: Abi,
  maxMapnr: number,
  part: { start: number; end: number },
): void {
  const problem = (field: string, at: number, expected: string, found: string) =>
    new FormatError({ file: source.name, offset: at, field, expected, found })
  const main = kdumpHeader.layout(abi).offsets
  const sub = subHeader.layout(abi).offsets
  const { blockSize, subHeaderBlocks, bitmapBlocks } = header
  if (maxMapnr < 1 || maxMapnr > maxPages) {
    throw problem('kdump header, maxMapnr', main.maxMapnr, `1 to ${maxPages} pages`, `${maxMapnr}`)
  }
  if (bitmapBlocks * blockSize < bitmapBytes(maxMapnr, blockSize)) {
    const expected = `at least ${bitmapBytes(maxMapnr, blockSize) / blockSize} for ${maxMapnr} pages`
    throw problem('kdump header, bitmapBlocks', main.bitmapBlocks, expected, `${bitmapBlocks}`)
  }
  // A file that is cut in its bitmaps still has the notes.
  const end = (1 + subHeaderBlocks) * blockSize
  if (end > source.size) {
    throw new FormatError({
      file: source.name,
      offset: main.subHeaderBlocks,
      field: 'kdump header, subHeaderBlocks',
      expected: `the sub-header inside the file (size ${hex(source.size)})`,
      found: `${subHeaderBlocks} blocks of ${blockSize} bytes, up to ${hex(end)}`,
      hint: 'the copy may be cut short; compare its size with the original',
    })
  }
  if (part.start > part.end || part.end > maxMapnr) {
    const at = blockSize + (sub.startPfn64 ?? sub.startPfn)
    throw problem(
      'kdump sub-header, startPfn and endPfn',
      at,
      `inside 0 to ${maxMapnr}`,
      `${part.start} to ${part.end}`,
    )
  }
}

/** Of memory up to 2 TiB, with 4K pages. */
const smallBitmap = 64 * MiB

/**
 * One bitmap, its spare bits cleared; what is cut off is clear.
 * @throws {FormatError} it is larger than the file and than any that a cut file is worth reading for.
 */
export function readBitmap(source: ByteSource, at: number, maxMapnr: number): Bitmap {
  const size = Math.ceil(maxMapnr / 8)
  if (size > Math.max(storedSize(source), smallBitmap)) {
    throw new FormatError({
      file: source.name,
      offset: at,
      field: 'kdump bitmap',
      expected: `${size} bytes for ${maxMapnr} pages`,
      found: `a stream of ${storedSize(source)} bytes`,
    })
  }
  const bytes = new Uint8Array(size)
  source.read(at, bytes)
  const spare = bytes.length * 8 - maxMapnr
  if (spare > 0) bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) & (0xff >> spare)
  return new Bitmap(maxMapnr, bytes)
}
