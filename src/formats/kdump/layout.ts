// The kdump-compressed format: block 0 the header, block 1 on the sub-header and the ELF notes, then
// two bitmaps, one descriptor for every page that is stored, the pages. Everything is in the dumped
// machine's byte order and C layout. Source: makedumpfile diskdump_mod.h and IMPLEMENTATION.

import { type Abi, bigword, chars, i32, nested, type Of, struct, u32, u64, uword } from '../../core/struct.ts'

export const signature = 'KDUMP   '

export const utsname = struct('new_utsname', {
  sysname: chars(65, 'Linux'),
  nodename: chars(65, 'host name'),
  release: chars(65, 'kernel release'),
  version: chars(65, 'build number and date'),
  machine: chars(65, 'as uname -m prints it; the only thing that names the architecture'),
  domainname: chars(65, 'NIS domain'),
})

export const kdumpHeader = struct('disk_dump_header', {
  signature: chars(8, signature),
  headerVersion: i32('6 since makedumpfile 1.5.5'),
  utsname: nested(utsname, 'of the crashed kernel'),
  seconds: bigword('time of the crash since 1970, 0 when unknown'),
  microseconds: bigword('0: libkdumpfile may take another value for block_size'),
  status: u32('DUMP_DH_*: compression asked for, and what is wrong with the file'),
  blockSize: i32('page size of the machine, unit of what follows'),
  subHeaderBlocks: i32('sub-header and notes, in blocks'),
  bitmapBlocks: u32('both bitmaps together, in blocks'),
  maxMapnr: u32('number of pages, at most 2^32-1; see maxMapnr64'),
  totalRamBlocks: u32('0'),
  deviceBlocks: u32('0'),
  writtenBlocks: u32('0'),
  currentCpu: u32('0'),
  cpuCount: i32('number of NT_PRSTATUS notes'),
})
export type KdumpHeader = Of<typeof kdumpHeader>

/** At byte `blockSize` of the file. */
export const subHeader = struct('kdump_sub_header', {
  physBase: bigword('physical address of the kernel image or of RAM, two’s complement; 0 on ppc64'),
  dumpLevel: i32('pages left out, one bit per kind', { since: 1 }),
  split: i32('1 when this file is one part of a set', { since: 2 }),
  startPfn: uword('first page of this part; low 32 bits only on 32-bit', { since: 2 }),
  endPfn: uword('page after the last; as startPfn', { since: 2 }),
  vmcoreinfoOffset: u64('where VMCOREINFO starts, bytes into the file', { since: 3 }),
  vmcoreinfoSize: uword('bytes', { since: 3 }),
  noteOffset: u64('where the ELF notes start, bytes into the file', { since: 4 }),
  noteSize: uword('bytes', { since: 4 }),
  eraseinfoOffset: u64('what was wiped, as text; bytes into the file', { since: 5 }),
  eraseinfoSize: uword('bytes', { since: 5 }),
  startPfn64: u64('full startPfn', { since: 6 }),
  endPfn64: u64('full endPfn', { since: 6 }),
  maxMapnr64: u64('number of pages, supersedes maxMapnr', { since: 6 }),
})
export type SubHeader = Of<typeof subHeader>

export const pageDescriptor = struct('page_desc', {
  offset: u64('where the data starts, bytes into the file; 0: lost when the disk was full'),
  size: u32('bytes in the file, at most a block'),
  flags: u32('DUMP_DH_COMPRESSED_*, 0: stored as it is'),
  pageFlags: u64('0'),
})
/** Bytes; the same on every ABI. */
export const descriptorSize = 24

/** Bits of disk_dump_header.status besides the codecs' flags. */
export const statusFlags = { incomplete: 0x8, excludedVmemmap: 0x10 } as const

/** A page size of any machine that Linux runs on: 4 KiB to 256 KiB. */
export const blockSizes = { min: 4096, max: 262144 } as const

/** Where the parts of a file start, bytes. */
export interface KdumpOffsets {
  readonly subHeader: number
  readonly bitmap1: number
  /** Equal to bitmap1 in old files with a single bitmap. */
  readonly bitmap2: number
  readonly descriptors: number
}

/** Bytes that one bitmap must have for `maxMapnr` pages, in whole blocks. */
export const bitmapBytes = (maxMapnr: number, blockSize: number): number =>
  Math.ceil(Math.ceil(maxMapnr / 8) / blockSize) * blockSize

/**
 * Where things are. There are two bitmaps when there is room for two; in old diskdump files one serves
 * as both.
 */
export function kdumpOffsets(
  header: Pick<KdumpHeader, 'blockSize' | 'subHeaderBlocks' | 'bitmapBlocks'>,
  maxMapnr: number,
): KdumpOffsets {
  const { blockSize, subHeaderBlocks, bitmapBlocks } = header
  const bitmap1 = (1 + subHeaderBlocks) * blockSize
  const both = bitmapBlocks * blockSize
  const two = both >= 2 * bitmapBytes(maxMapnr, blockSize)
  return {
    subHeader: blockSize,
    bitmap1,
    bitmap2: two ? bitmap1 + Math.floor(bitmapBlocks / 2) * blockSize : bitmap1,
    descriptors: bitmap1 + both,
  }
}

/** LP64; 32-bit machines that align 64-bit members to 8 (Arm, PowerPC); i386, which aligns them to 4. */
export const kdumpAbi = (wordBytes: 4 | 8, littleEndian: boolean, align64: 4 | 8 = 8): Abi => ({
  wordBytes,
  littleEndian,
  align64,
})
