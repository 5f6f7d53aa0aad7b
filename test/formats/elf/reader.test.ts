import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { FaultError, FormatError } from '../../../src/core/errors.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { openSource } from '../../../src/formats/index.ts'
import {
  type ElfCoreOptions,
  makeElfCore,
  makePrstatus,
  makeVmcoreinfo,
  pattern,
} from '../../make/elf-core.ts'

const open = (bytes: Uint8Array): Dump => openSource(new BufferSource(bytes, 'test.elf'))
const openCore = (options: ElfCoreOptions): Dump => open(makeElfCore(options))

function read(dump: Dump, address: number, length: number): number[] {
  const into = new Uint8Array(length)
  dump.memory.read(address, into)
  return [...into]
}

/** reason@address of the fault. */
function fault(dump: Dump, address: number, length: number): string {
  try {
    read(dump, address, length)
  } catch (error) {
    if (error instanceof FaultError) return `${error.reason}@${error.address}`
    throw error
  }
  return 'none'
}

describe('ELF core reader', () => {
  it('reads notes, VMCOREINFO and memory of a kernel core', () => {
    const dump = openCore({
      machine: 21,
      noteAreas: [Buffer.concat([makePrstatus(504), makePrstatus(504), makeVmcoreinfo('PAGESIZE=65536\n')])],
      segments: [{ physical: 0x1000, data: pattern(64), virtual: 0xc000_0000_0000_1000n }],
      header: { flags: 2 },
    })
    expect(dump.elfMachine).toBe(21)
    expect(dump.elfFlags).toBe(2)
    expect(dump.notes.map(({ name, type, desc }) => [name, type, desc.length])).toEqual([
      ['CORE', 1, 504],
      ['CORE', 1, 504],
      ['VMCOREINFO', 0, 15],
    ])
    expect(dump.vmcoreinfo).toBe('PAGESIZE=65536\n')
    expect(dump.memory.ranges).toEqual([{ start: 0x1000, end: 0x1040 }])
    expect(read(dump, 0x1004, 3)).toEqual([4, 5, 6])
    expect(dump.warnings).toEqual([])
  })

  it.each([
    [false, true],
    [false, false],
    [true, false],
  ])('reads the same from ELF64 %s, little endian %s', (is64, littleEndian) => {
    const dump = openCore({
      is64,
      littleEndian,
      machine: 22,
      noteAreas: [makeVmcoreinfo('A=1\n', littleEndian)],
      segments: [{ physical: 0x2000, data: pattern(32) }],
    })
    expect(read(dump, 0x2008, 2)).toEqual([8, 9])
    expect(dump.vmcoreinfo).toBe('A=1\n')
    expect(dump.abi.littleEndian).toBe(littleEndian)
  })

  it('follows e_phoff and does not mind e_ehsize 8, as QEMU writes them', () => {
    const dump = openCore({
      gap: 128,
      header: { headerSize: 8 },
      segments: [{ physical: 0, data: pattern(16) }],
    })
    expect(read(dump, 15, 1)).toEqual([15])
  })

  it('takes the number of program headers from section 0', () => {
    const segments = Array.from({ length: 70_000 }, (_, i) => ({ physical: i * 16, data: pattern(1, i) }))
    const dump = openCore({ manyHeaders: true, segments })
    expect(dump.segments).toHaveLength(70_000)
    expect(read(dump, 69_999 * 16, 1)).toEqual([69_999 & 0xff])
  })

  it('takes 0xffff as a number when there is no section 0', () => {
    const segments = Array.from({ length: 0xffff }, (_, i) => ({ physical: i * 16, data: pattern(1, i) }))
    expect(openCore({ segments }).segments).toHaveLength(0xffff)
  })

  it('joins several note areas', () => {
    const dump = openCore({
      noteAreas: [makePrstatus(336), makePrstatus(336), makeVmcoreinfo('B=2\n')],
      segments: [{ physical: 0, data: pattern(16) }],
    })
    expect(dump.notes).toHaveLength(3)
    const note = dump.notes[2]
    expect(dump.noteBytes.subarray(note?.descOffset, (note?.descOffset ?? 0) + 4)).toEqual(
      Buffer.from('B=2\n'),
    )
  })

  it('lets the first segment in file order win where two overlap', () => {
    const dump = openCore({
      segments: [
        { physical: 16, data: pattern(16, 100) },
        { physical: 0, data: pattern(64) },
      ],
    })
    expect(read(dump, 14, 4)).toEqual([14, 15, 100, 101])
    expect(read(dump, 30, 4)).toEqual([114, 115, 32, 33])
    expect(dump.memory.ranges).toEqual([{ start: 0, end: 64 }])
  })

  it('leaves a segment without physical address out', () => {
    const dump = openCore({
      segments: [
        { physical: 0, unknownPhysical: true, data: pattern(16, 50) },
        { physical: 0, data: pattern(16) },
      ],
    })
    expect(dump.segments).toHaveLength(1)
    expect(read(dump, 0, 1)).toEqual([0])
  })

  it('says hole, excluded or truncated at the first byte that is not there', () => {
    const whole = makeElfCore({
      segments: [
        { physical: 0, data: pattern(32), memorySize: 64 },
        { physical: 100, data: pattern(32) },
      ],
    })
    const dump = open(whole.subarray(0, whole.length - 8))
    expect(fault(dump, 0, 32)).toBe('none')
    expect(fault(dump, 30, 4)).toBe('excluded@32')
    expect(fault(dump, 64, 1)).toBe('hole@64')
    expect(fault(dump, 120, 10)).toBe('truncated@124')
    expect(dump.warnings.map(({ code }) => code)).toEqual(['TRUNCATED'])
    expect(dump.segments[1]?.fileSize).toBe(24)
  })

  it('takes data from any segment before it calls a page excluded', () => {
    const dump = openCore({
      segments: [
        { physical: 0, data: pattern(0), memorySize: 64 },
        { physical: 16, data: pattern(16, 7) },
      ],
    })
    expect(read(dump, 16, 1)).toEqual([7])
    expect(fault(dump, 40, 1)).toBe('excluded@40')
  })

  it('counts a page as stored when its first byte is', () => {
    const dump = openCore({
      segments: [
        { physical: 0x1010, data: pattern(0x1ff0) },
        { physical: 0x4000, data: pattern(1), memorySize: 0x3000 },
      ],
    })
    const stored = dump.memory.storedPages(0x1000)
    expect(stored.length).toBe(7)
    expect([0, 1, 2, 3, 4, 5, 6].filter((pfn) => stored.has(pfn))).toEqual([2, 4])
  })

  it('says that the dump is marked incomplete', () => {
    const dump = openCore({ header: { flags: 3 }, segments: [{ physical: 0, data: pattern(16) }] })
    expect(dump.warnings.map(({ code }) => code)).toEqual(['INCOMPLETE'])
  })

  it.each([
    ['a program', { header: { type: 2 } }, /type at byte 0x10/],
    ['odd program headers', { header: { programEntrySize: 57 } }, /programEntrySize/],
    ['program headers outside the file', { header: { programOffset: 1 << 20 } }, /program headers/],
    ['no segment at all', { segments: [] }, /program headers/],
    ['more data than memory', { segments: [{ physical: 0, data: pattern(16), memorySize: 8 }] }, /p_filesz/],
    ['memory past 2^53', { segments: [{ physical: 2 ** 53, data: pattern(16) }] }, /p_paddr/],
  ] satisfies [string, Partial<ElfCoreOptions>, RegExp][])('refuses %s', (_, options, message) => {
    const core = { segments: [{ physical: 0, data: pattern(16) }], ...options }
    expect(() => openCore(core)).toThrow(FormatError)
    expect(() => openCore(core)).toThrow(message)
  })

  it('refuses a page bitmap that no machine needs', () => {
    const dump = openCore({ segments: [{ physical: 2 ** 52, data: pattern(16) }] })
    expect(() => dump.memory.storedPages(4096)).toThrow(/highest physical address/)
  })

  it('asks the file once for a page, and once for many small reads of one place', () => {
    const bytes = makeElfCore({
      segments: [
        { physical: 0, data: pattern(0x40_0000) },
        { physical: 0x1000_0000, data: pattern(0x40_0000) },
      ],
    })
    const inner = new BufferSource(bytes, 'test.elf')
    let reads = 0
    const counting = {
      name: inner.name,
      size: inner.size,
      read(offset: number, into: Uint8Array) {
        reads++
        return inner.read(offset, into)
      },
      [Symbol.dispose]() {},
    }
    using dump = openSource(counting)
    reads = 0
    const page = new Uint8Array(4096)
    for (let at = 0; at < 0x40_0000; at += 4096) dump.memory.read(0x1000_0000 + at, page)
    expect(reads).toBe(1024)
    reads = 0
    const word = new Uint8Array(8)
    for (let at = 0; at < 4096; at += 8) dump.memory.read(0x2000 + at, word)
    // The place lies in two blocks of the file.
    expect(reads).toBeLessThanOrEqual(3)
  })
})
