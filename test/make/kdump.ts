// Builds a small kdump-compressed file in memory, of any version, ABI and codec.

import { deflateSync } from 'node:zlib'
import { Bitmap } from '../../src/core/bitmap.ts'
import { type Abi, abi64le } from '../../src/core/struct.ts'
import { parseNotes } from '../../src/formats/elf/notes.ts'
import {
  bitmapBytes,
  descriptorSize,
  type KdumpHeader,
  kdumpHeader,
  pageDescriptor,
  type SubHeader,
  subHeader,
} from '../../src/formats/kdump/layout.ts'

export interface MadePage {
  readonly pfn: number
  /** As stored in the file; `flags` says how. Default: `blockSize` bytes, each the pfn's low byte. */
  readonly data?: Uint8Array
  readonly flags?: number
  /** Offset of the descriptor instead of the right one. */
  readonly offset?: number
  readonly size?: number
}

export interface KdumpOptions {
  readonly pages: readonly MadePage[]
  /** Page frames that exist and were left out. */
  readonly excluded?: readonly number[]
  readonly maxMapnr: number
  readonly abi?: Abi
  readonly version?: number
  readonly blockSize?: number
  readonly machine?: string
  readonly notes?: Uint8Array
  readonly singleBitmap?: boolean
  readonly part?: { readonly start: number; readonly end: number }
  readonly header?: Partial<KdumpHeader>
  readonly sub?: Partial<SubHeader>
}

export const filledPage = (pfn: number, blockSize = 4096): Uint8Array => new Uint8Array(blockSize).fill(pfn)

export const zlibPage = (pfn: number, blockSize = 4096): MadePage => ({
  pfn,
  data: deflateSync(filledPage(pfn, blockSize), { level: 1 }),
  flags: 1,
})

export function makeKdump(options: KdumpOptions): Uint8Array {
  const {
    pages,
    maxMapnr,
    abi = abi64le,
    blockSize = 4096,
    notes = new Uint8Array(0),
    machine = 'x86_64',
  } = options
  const noteOffset = blockSize + subHeader.layout(abi).size
  const subBlocks = Math.ceil((noteOffset - blockSize + notes.length) / blockSize)
  const bitmapSize = bitmapBytes(maxMapnr, blockSize)
  const bitmaps = options.singleBitmap ? 1 : 2
  const bitmapAt = (1 + subBlocks) * blockSize
  const descriptorsAt = bitmapAt + bitmaps * bitmapSize
  const dataAt = descriptorsAt + pages.length * descriptorSize

  const stored = new Bitmap(maxMapnr)
  for (const { pfn } of pages) stored.set(pfn)
  const exists = stored.clone()
  for (const pfn of options.excluded ?? []) exists.set(pfn)

  const part = options.part ?? { start: 0, end: maxMapnr }
  const inPart = pages.filter(({ pfn }) => pfn >= part.start && pfn < part.end)
  const data = inPart.map((page) => page.data ?? filledPage(page.pfn, blockSize))
  const file = new Uint8Array(data.reduce((end, bytes) => end + bytes.length, dataAt))

  const header = {
    signature: 'KDUMP   ',
    headerVersion: options.version ?? 6,
    utsname: { ...namedAs(machine), ...options.header?.utsname },
    blockSize,
    subHeaderBlocks: subBlocks,
    bitmapBlocks: (bitmaps * bitmapSize) / blockSize,
    maxMapnr,
    ...options.header,
  }
  file.set(kdumpHeader.write(header, abi))
  file.set(subHeader.write({ ...subFields(options, abi, noteOffset, notes), ...options.sub }, abi), blockSize)
  file.set(notes, noteOffset)
  file.set(exists.bytes, bitmapAt)
  file.set(stored.bytes, bitmapAt + (bitmaps - 1) * bitmapSize)
  let at = dataAt
  inPart.forEach((page, i) => {
    const bytes = data[i] as Uint8Array
    const descriptor = { offset: page.offset ?? at, size: page.size ?? bytes.length, flags: page.flags ?? 0 }
    file.set(pageDescriptor.write(descriptor, abi), descriptorsAt + i * descriptorSize)
    file.set(bytes, at)
    at += bytes.length
  })
  return file
}

const namedAs = (machine: string) => ({
  sysname: 'Linux',
  nodename: 'test',
  release: '7.2.0',
  version: '#1',
  machine,
  domainname: '(none)',
})

function subFields(
  options: KdumpOptions,
  abi: Abi,
  noteOffset: number,
  notes: Uint8Array,
): Partial<SubHeader> {
  const info = parseNotes(notes, abi.littleEndian, 'test').find(({ name }) => name === 'VMCOREINFO')
  return {
    dumpLevel: 31,
    ...(options.part === undefined
      ? {}
      : {
          split: 1,
          startPfn: options.part.start,
          endPfn: options.part.end,
          startPfn64: options.part.start,
          endPfn64: options.part.end,
        }),
    ...(info === undefined
      ? {}
      : { vmcoreinfoOffset: noteOffset + info.descOffset, vmcoreinfoSize: info.desc.length }),
    ...(notes.length === 0 ? {} : { noteOffset, noteSize: notes.length }),
    maxMapnr64: options.maxMapnr,
  }
}
