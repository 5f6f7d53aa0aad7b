// What the fuzzer damages: a whole dump of every form, and where its headers stand.

import type { Abi } from '../../src/core/struct.ts'
import {
  elfAbi,
  elfHeader,
  programHeader32,
  programHeader64,
  sectionHeader,
} from '../../src/formats/elf/layout.ts'
import { flattenedAbi, flattenedHeader, recordHeader } from '../../src/formats/flattened/layout.ts'
import {
  bitmapBytes,
  descriptorSize,
  kdumpAbi,
  kdumpHeader,
  pageDescriptor,
  subHeader,
} from '../../src/formats/kdump/layout.ts'
import { lzoPacked, snappyPacked, zstdPacked } from '../core/codecs/packed-pages.ts'
import type { AnyStruct } from '../make/damage.ts'
import { makeElfCore, makePrstatus, makeVmcoreinfo, pattern } from '../make/elf-core.ts'
import { makeFlattened } from '../make/flattened.ts'
import { type KdumpOptions, type MadePage, makeKdump, zlibPage } from '../make/kdump.ts'
import { type PageEra, pageEras } from '../make/page-eras.ts'
import { type FuzzKernel, makeFuzzKernel } from './kernel.ts'

/** A header in a file. */
export interface Place {
  readonly table: AnyStruct
  readonly abi: Abi
  /** Byte in the file. */
  readonly at: number
}

export interface FuzzFile {
  readonly bytes: Uint8Array
  readonly places: readonly Place[]
}

export interface FuzzInput {
  readonly name: string
  /** One, or the parts of a split dump. */
  readonly files: readonly FuzzFile[]
}

const newest = pageEras.at(-1) as PageEra
const old = pageEras.find(({ name }) => name.startsWith('5.1')) as PageEra

export function makeInputs(): readonly FuzzInput[] {
  const kernel = makeFuzzKernel(newest, 'ring')
  const older = makeFuzzKernel(old, 'records')
  const elf = elfFile(kernel, false)
  const kdump = kdumpFile({ pages: kernelPages(kernel), notes: kernel.notes, maxMapnr: 256 })
  const bound = { pages: kernelPages(kernel), notes: kernel.notes, maxMapnr: 256 }
  return [
    { name: 'elf', files: [elf] },
    { name: 'elf, many headers, older kernel', files: [elfFile(older, true)] },
    { name: 'elf, 32 bits, big endian', files: [elf32File()] },
    { name: 'kdump', files: [kdump] },
    {
      name: 'kdump, older kernel',
      files: [kdumpFile({ pages: kernelPages(older), notes: older.notes, maxMapnr: 256 })],
    },
    {
      name: 'kdump, every codec, i386',
      files: [
        kdumpFile({
          abi: kdumpAbi(4, true, 4),
          machine: 'i686',
          pages: everyCodec,
          maxMapnr: 40,
          sub: { dumpLevel: 1 },
        }),
      ],
    },
    {
      name: 'kdump, version 3, big endian, one bitmap',
      files: [
        kdumpFile({
          abi: kdumpAbi(8, false),
          machine: 's390x',
          version: 3,
          singleBitmap: true,
          notes: makeVmcoreinfo('OSRELEASE=4.18.0\n', false),
          pages: everyCodec,
          sub: { dumpLevel: 1 },
          maxMapnr: 40,
        }),
      ],
    },
    { name: 'flattened elf', files: [flattenedFile(elf.bytes)] },
    { name: 'flattened kdump', files: [flattenedFile(kdump.bytes)] },
    {
      name: 'split kdump',
      files: [
        { start: 0, end: 64 },
        { start: 64, end: 128 },
        { start: 128, end: 256 },
      ].map((part) => kdumpFile({ ...bound, part })),
    },
  ]
}

function elfFile({ segments, notes }: FuzzKernel, manyHeaders: boolean): FuzzFile {
  const abi = elfAbi(true, true)
  const bytes = makeElfCore({ segments, noteAreas: [notes], manyHeaders })
  const first = elfHeader.layout(abi).size
  const step = programHeader64.layout(abi).size
  const places = Array.from({ length: segments.length + 1 }, (_, i) => ({
    table: programHeader64,
    abi,
    at: first + i * step,
  }))
  const section = { table: sectionHeader, abi, at: first + places.length * step }
  return { bytes, places: [{ table: elfHeader, abi, at: 0 }, ...places, ...(manyHeaders ? [section] : [])] }
}

function elf32File(): FuzzFile {
  const abi = elfAbi(false, false)
  const bytes = makeElfCore({
    is64: false,
    littleEndian: false,
    machine: 20,
    noteAreas: [makePrstatus(268, false)],
    segments: [
      { physical: 0, data: pattern(8192) },
      { physical: 8192, data: pattern(4096), memorySize: 16384 },
    ],
  })
  const at = (i: number): number => elfHeader.layout(abi).size + i * programHeader32.layout(abi).size
  const programs = [0, 1, 2].map((i) => ({ table: programHeader32, abi, at: at(i) }))
  return { bytes, places: [{ table: elfHeader, abi, at: 0 }, ...programs] }
}

const packedPage = (pfn: number, flags: number, base64: string): MadePage => ({
  pfn,
  flags,
  data: Buffer.from(base64, 'base64'),
})

/** DUMP_DH_COMPRESSED_ZLIB 1, LZO 2, SNAPPY 4, ZSTD 32. */
const everyCodec: readonly MadePage[] = [
  zlibPage(1),
  packedPage(3, 2, lzoPacked),
  packedPage(4, 4, snappyPacked),
  packedPage(5, 32, zstdPacked),
  { pfn: 20 },
]

const kernelPages = ({ segments }: FuzzKernel): readonly MadePage[] =>
  segments.flatMap(({ physical, data }) =>
    Array.from({ length: data.length / 4096 }, (_, i) => ({
      pfn: physical / 4096 + i,
      data: data.subarray(i * 4096, (i + 1) * 4096),
    })),
  )

function kdumpFile(options: KdumpOptions): FuzzFile {
  const { abi = kdumpAbi(8, true), maxMapnr, pages } = options
  const bytes = makeKdump({ excluded: [maxMapnr - 1], ...options })
  const { offsets } = kdumpHeader.layout(abi)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const blocks = view.getInt32(offsets.subHeaderBlocks, abi.littleEndian)
  const bitmaps = (options.singleBitmap ? 1 : 2) * bitmapBytes(maxMapnr, 4096)
  const descriptors = (1 + blocks) * 4096 + bitmaps
  return {
    bytes,
    places: [
      { table: kdumpHeader, abi, at: 0 },
      { table: subHeader, abi, at: 4096 },
      ...pages.map((_, i) => ({ table: pageDescriptor, abi, at: descriptors + i * descriptorSize })),
    ],
  }
}

/** In pieces that do not come in the order of their offsets. */
function flattenedFile(bytes: Uint8Array): FuzzFile {
  const piece = 16384
  const starts = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) => i * piece).reverse()
  const places: Place[] = [{ table: flattenedHeader, abi: flattenedAbi, at: 0 }]
  let at = 4096
  for (const start of starts) {
    places.push({ table: recordHeader, abi: flattenedAbi, at })
    at += 16 + Math.min(piece, bytes.length - start)
  }
  places.push({ table: recordHeader, abi: flattenedAbi, at })
  return {
    bytes: makeFlattened(starts.map((start) => [start, bytes.subarray(start, start + piece)])),
    places,
  }
}
