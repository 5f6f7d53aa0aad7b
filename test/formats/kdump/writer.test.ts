import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bitmap } from '../../../src/core/bitmap.ts'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { openSource } from '../../../src/formats/index.ts'
import { countSetBits } from '../../../src/formats/kdump/descriptors.ts'
import { readBitmap, readKdumpHeaders } from '../../../src/formats/kdump/headers.ts'
import { descriptorSize, kdumpAbi, pageDescriptor } from '../../../src/formats/kdump/layout.ts'
import {
  type KdumpContents,
  type KdumpLayout,
  makeKdumpLayout,
  putDescriptor,
} from '../../../src/formats/kdump/writer.ts'
import { fixture } from '../../fixtures/index.ts'
import { makePrstatus, makeVmcoreinfo } from '../../make/elf-core.ts'
import { filledPage } from '../../make/kdump.ts'

const utsname = {
  sysname: 'Linux',
  nodename: 'host',
  release: '7.2.0',
  version: '#1',
  machine: 'x86_64',
  domainname: '(none)',
}

function bitmapOf(length: number, pfns: Iterable<number>): Bitmap {
  const bitmap = new Bitmap(length)
  for (const pfn of pfns) bitmap.set(pfn)
  return bitmap
}

function contentsOf(
  length: number,
  stored: readonly number[],
  more: Partial<KdumpContents> = {},
): KdumpContents {
  const bitmap = bitmapOf(length, stored)
  return {
    abi: kdumpAbi(8, true),
    blockSize: 4096,
    utsname,
    crashTime: 1_790_000_000,
    dumpLevel: 0,
    cpuCount: 1,
    physBase: -0x1200000n,
    noteBytes: new Uint8Array(0),
    exists: bitmap,
    stored: bitmap,
    ...more,
  }
}

/** The pieces in one array, `size` bytes long. */
function assemble(layout: KdumpLayout, size: number, status = 0): Uint8Array {
  const file = new Uint8Array(size)
  for (const { offset, bytes } of [...layout.pieces, layout.status(status)]) file.set(bytes, offset)
  return file
}

/** A whole file whose pages are stored as they are. */
function writeRaw(contents: KdumpContents): Uint8Array {
  const layout = makeKdumpLayout(contents)
  const { blockSize, stored, abi } = contents
  const file = assemble(layout, layout.dataAt + stored.count() * blockSize)
  const view = new DataView(file.buffer)
  const number = countSetBits(stored)
  for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1)) {
    const n = number(pfn)
    const offset = layout.dataAt + n * blockSize
    putDescriptor(view, layout.descriptorsAt + n * descriptorSize, abi.littleEndian, offset, blockSize, 0)
    file.set(filledPage(pfn, blockSize), offset)
  }
  return file
}

describe('kdump writer', () => {
  it('places everything as makedumpfile does', () => {
    // 1 block header, 104 + 356 + 40 bytes of sub-header and notes, two bitmaps of 5 bytes, 24 bytes a page.
    const noteBytes = Buffer.concat([makePrstatus(336), makeVmcoreinfo('OSRELEASE=7.2.0\n')])
    const layout = makeKdumpLayout(contentsOf(40, [1, 2, 39], { noteBytes, dumpLevel: 1 }))
    expect(layout.pieces.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
      [0, 424],
      [428, 36],
      [4096 + 104, 356 + 40],
      [4096, 64],
      [4096 + 80, 24],
      [8192, 5],
      [12288, 5],
      [16384 + 72, 4096],
    ])
    const place = Uint8Array.of(0x21, 3, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0)
    expect(layout.eraseInfo(0x321, 9)).toEqual({ offset: 4096 + 64, bytes: place })
    expect(layout.status(1)).toEqual({ offset: 424, bytes: Uint8Array.of(1, 0, 0, 0) })
    expect(layout).toMatchObject({
      descriptorsAt: 16384,
      zeroPageAt: 16456,
      dataAt: 16456 + 4096,
    })
  })

  it('has no zero page unless zero pages are left out', () => {
    const layout = makeKdumpLayout(contentsOf(40, [1], { dumpLevel: 30 }))
    expect(layout.zeroPageAt).toBeUndefined()
    expect(layout.dataAt).toBe(16384 + 24)
  })

  it('makes room for notes of more than a block', () => {
    const layout = makeKdumpLayout(contentsOf(40, [1], { noteBytes: new Uint8Array(4096 - 104 + 1) }))
    expect(layout.descriptorsAt).toBe((1 + 2 + 2) * 4096)
  })

  it('writes the headers, notes, bitmaps and descriptors of a file of makedumpfile to the byte', () => {
    const bytes = readFileSync(fixture('x86_64-6.1-debian/vmcore.kdump'))
    using source = new BufferSource(bytes, 'fixture')
    const { header, sub, abi, offsets, maxMapnr } = readKdumpHeaders(source)
    const stored = readBitmap(source, offsets.bitmap2, maxMapnr)
    const layout = makeKdumpLayout({
      abi,
      blockSize: header.blockSize,
      utsname: header.utsname,
      crashTime: Number(header.seconds),
      dumpLevel: sub.dumpLevel ?? 0,
      cpuCount: header.cpuCount,
      physBase: sub.physBase,
      noteBytes: bytes.subarray(sub.noteOffset, (sub.noteOffset ?? 0) + (sub.noteSize ?? 0)),
      exists: readBitmap(source, offsets.bitmap1, maxMapnr),
      stored,
    })
    const made = assemble(layout, layout.dataAt, header.status)
    const view = new DataView(made.buffer)
    for (let i = 0; i < stored.count(); i++) {
      const at = layout.descriptorsAt + i * descriptorSize
      const { offset, size, flags } = pageDescriptor.parse(bytes.subarray(at), abi, { file: 'fixture' })
      putDescriptor(view, at, abi.littleEndian, offset, size, flags)
    }
    expect(stored.count()).toBeGreaterThan(1000)
    expect(Buffer.compare(made, bytes.subarray(0, layout.dataAt))).toBe(0)
  })

  it('writes what the reader reads, for any bitmap, byte order and page size', () => {
    const pfns = fc.uniqueArray(fc.nat(1999), { maxLength: 20 })
    const blockSizes = fc.constantFrom(4096, 16384, 65536)
    fc.assert(
      fc.property(pfns, pfns, blockSizes, fc.boolean(), (stored, excluded, blockSize, littleEndian) => {
        const exists = bitmapOf(2000, [...stored, ...excluded])
        const abi = kdumpAbi(8, littleEndian)
        const contents = contentsOf(2000, stored, { exists, blockSize, abi })
        using dump = openSource(new BufferSource(writeRaw(contents)))
        expect(dump.kdump).toEqual({
          headerVersion: 6,
          dumpLevel: 0,
          maxMapnr: 2000,
          status: 0,
          utsname,
          crashTime: 1_790_000_000,
          cpuCount: 1,
          physBase: BigInt.asUintN(64, -0x1200000n),
        })
        const page = new Uint8Array(blockSize)
        for (const pfn of stored) {
          dump.memory.read(pfn * blockSize, page)
          expect(page.every((byte) => byte === (pfn & 0xff))).toBe(true)
        }
        const have = dump.memory.storedPages(blockSize)
        expect(have.count()).toBe(stored.length)
        expect(dump.memory.ranges.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(
          exists.count() * blockSize,
        )
      }),
      { numRuns: 30 },
    )
  })
})

describe('page descriptor', () => {
  it.each([true, false])('is put as the table says, little endian %s', (littleEndian) => {
    const abi = kdumpAbi(8, littleEndian)
    const value = { offset: 0x12_3456_789a, size: 0x8000_0001, flags: 0x20 }
    const bytes = new Uint8Array(30).fill(0xaa)
    putDescriptor(new DataView(bytes.buffer), 3, littleEndian, value.offset, value.size, value.flags)
    expect([...bytes.subarray(3, 27)]).toEqual([...pageDescriptor.write(value, abi)])
    expect(bytes[2]).toBe(0xaa)
    expect(bytes[27]).toBe(0xaa)
  })
})
