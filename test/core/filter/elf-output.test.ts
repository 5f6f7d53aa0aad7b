import { describe, expect, it } from 'vitest'
import { readPages } from '../../../src/core/filter/page-reader.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { makeElfCore, makePrstatus, makeVmcoreinfo, pattern } from '../../make/elf-core.ts'
import { filterBytes, filterFile } from '../../make/filtered.ts'
import { makeKdump } from '../../make/kdump.ts'

const pageSize = 4096
const notes = Buffer.concat([makePrstatus(336), makeVmcoreinfo('OSRELEASE=7.2.0\n')])

describe('an ELF core file', () => {
  const segments = [
    { physical: 0x1000, data: pattern(2 * pageSize, 5), virtual: 0xffff_8880_0000_1000n },
    { physical: 0x10180, data: pattern(pageSize, 9), virtual: 0xffff_8880_0001_0180n },
  ]
  const source = makeElfCore({ segments, noteAreas: [notes], header: { flags: 2 } })

  it('has header, PT_NOTE, PT_LOADs, notes and data in that order', async () => {
    const { bytes, view, result } = await filterBytes(source, { format: 'elf' })
    expect([...bytes.subarray(0, 7)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
    // e_type, e_machine, e_phoff, e_flags, e_ehsize, e_phentsize, e_phnum, e_shnum
    expect([16, 18, 32, 48, 52, 54, 56, 60].map((at) => view.getUint16(at, true))).toEqual([
      4, 62, 64, 2, 64, 56, 3, 0,
    ])
    const noteAt = 64 + 3 * 56
    const dataAt = noteAt + notes.length
    const program = (i: number) =>
      [0, 8, 16, 24, 32, 40, 48].map((field) => view.getBigUint64(64 + 56 * i + field, true))
    const size = BigInt(notes.length)
    expect(program(0)).toEqual([4n, BigInt(noteAt), 0n, 0n, size, size, 0n])
    const rwx = 7n << 32n
    expect(program(1)).toEqual([
      1n | rwx,
      BigInt(dataAt),
      0xffff_8880_0000_1000n,
      0x1000n,
      0x2000n,
      0x2000n,
      0n,
    ])
    expect(program(2).slice(1, 5)).toEqual([BigInt(dataAt + 8192), 0xffff_8880_0001_0180n, 0x10180n, 0x1000n])
    expect(Buffer.from(bytes.subarray(noteAt, dataAt))).toEqual(notes)
    expect(Buffer.compare(bytes.subarray(dataAt), Buffer.concat(segments.map(({ data }) => data)))).toBe(0)
    expect(result.storedPages).toBe(3)
  })

  it('gives each of two segments of the same memory its bytes', async () => {
    const data = pattern(4 * pageSize, 3)
    const twice = [
      { physical: 0x4000, data: data.subarray(pageSize, 3 * pageSize), virtual: 0xffff_ffff_8000_0000n },
      { physical: 0x3000, data, virtual: 0n },
    ]
    const { bytes } = await filterBytes(makeElfCore({ segments: twice }), { format: 'elf' })
    const dataAt = 64 + 3 * 56
    expect(Buffer.compare(bytes.subarray(dataAt), Buffer.concat(twice.map((one) => one.data)))).toBe(0)
  })

  it('leaves out zero pages where there are many, and memory above is not moved', async () => {
    const data = Buffer.concat([pattern(pageSize), new Uint8Array(300 * pageSize), pattern(pageSize, 1)])
    const { result, dump, bytes } = await filterBytes(makeElfCore({ segments: [{ physical: 0, data }] }), {
      format: 'elf',
      level: 1,
    })
    expect(result.pages).toMatchObject({ zero: 300, kept: 2 })
    expect(bytes.length).toBe(64 + 3 * 56 + 2 * pageSize)
    const page = new Uint8Array(pageSize)
    dump.memory.read(301 * pageSize, page)
    expect(Buffer.compare(page, pattern(pageSize, 1))).toBe(0)
    expect(() => dump.memory.read(17 * pageSize, page)).toThrow('left out')
  })

  it('counts its program headers in section 0 when there are 65535 or more', async () => {
    const many = Array.from({ length: 65_540 }, (_, i) => ({ physical: i * 8192, data: pattern(16, i) }))
    const { bytes, view, dump } = await filterBytes(makeElfCore({ segments: many, manyHeaders: true }), {
      format: 'elf',
    })
    expect(view.getUint16(56, true)).toBe(0xffff)
    const sectionAt = 64 + 65_541 * 56
    expect(view.getBigUint64(40, true)).toBe(BigInt(sectionAt))
    expect(view.getUint32(sectionAt + 44, true)).toBe(65_541)
    expect(bytes.length).toBe(sectionAt + 64 + 65_540 * 16)
    const last = new Uint8Array(16)
    dump.memory.read(65_539 * 8192, last)
    expect(last).toEqual(pattern(16, 65_539))
  })

  it('is made from a kdump file, excluded pages left out', async () => {
    const kdump = makeKdump({
      pages: [{ pfn: 3 }, { pfn: 4 }, { pfn: 9 }],
      excluded: [5],
      maxMapnr: 20,
      machine: 'ppc64le',
      notes,
      sub: { dumpLevel: 0 },
    })
    const { dump, result } = await filterBytes(kdump, { format: 'elf' })
    expect(
      dump.segments.map(({ physical, memorySize, fileSize, virtual }) => [
        physical,
        memorySize,
        fileSize,
        virtual,
      ]),
    ).toEqual([
      [3 * 4096, 3 * 4096, 2 * 4096, 0xc000_0000_0000_3000n],
      [9 * 4096, 4096, 4096, 0xc000_0000_0000_9000n],
    ])
    expect(Buffer.compare(dump.noteBytes, notes)).toBe(0)
    expect(result.pages).toMatchObject({ existing: 4, missing: 1, kept: 3 })
  })

  it('marks lost pages by the flag of an incomplete file, and has zeros for them', async () => {
    const kdump = makeKdump({
      pages: [{ pfn: 3 }, { pfn: 4, flags: 1 }],
      maxMapnr: 20,
      sub: { dumpLevel: 0 },
    })
    const { view, dump, result } = await filterBytes(kdump, { format: 'elf' })
    expect(view.getUint32(48, true)).toBe(1)
    expect(result).toMatchObject({ incomplete: true, pages: { lost: 1, kept: 1 } })
    const page = new Uint8Array(pageSize).fill(1)
    dump.memory.read(4 * pageSize, page)
    expect(page.every((byte) => byte === 0)).toBe(true)
  })
})

describe.each(['ppc64le-7.2-fadump', 'x86_64-7.2-small', 'arm64-7.2-debian'] as const)(
  '%s as ELF',
  (name) => {
    it('has the bytes of the source in every page that it has', async () => {
      const path = fixture(`${name}/vmcore`)
      using source = openDump(path)
      const { dump, result } = await filterFile(path, { format: 'elf', level: 31 })
      const { pageSize } = result
      const stored = dump.memory.storedPages(pageSize)
      expect(stored.count()).toBe(result.storedPages)
      const [expected, found] = [new Uint8Array(pageSize), new Uint8Array(pageSize)]
      let different = 0
      for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1)) {
        readPages(source.memory, pageSize, pfn * pageSize, expected)
        readPages(dump.memory, pageSize, pfn * pageSize, found)
        if (Buffer.compare(expected, found) !== 0) different++
      }
      expect(different).toBe(0)
    })
  },
)
