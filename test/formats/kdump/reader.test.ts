import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { FaultError, FormatError } from '../../../src/core/errors.ts'
import type { Abi } from '../../../src/core/struct.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { openSource } from '../../../src/formats/index.ts'
import { kdumpAbi } from '../../../src/formats/kdump/layout.ts'
import { makePrstatus, makeVmcoreinfo } from '../../make/elf-core.ts'
import { filledPage, type KdumpOptions, makeKdump, zlibPage } from '../../make/kdump.ts'

const open = (bytes: Uint8Array): Dump => openSource(new BufferSource(bytes, 'test.kdump'))
const openKdump = (options: KdumpOptions): Dump => open(makeKdump(options))

function read(dump: Dump, address: number, length: number): number[] {
  const into = new Uint8Array(length)
  dump.memory.read(address, into)
  return [...into]
}

function fault(dump: Dump, address: number, length: number): string {
  try {
    read(dump, address, length)
  } catch (error) {
    if (!(error instanceof FaultError)) throw error
    const cause = error.cause instanceof FormatError ? `: ${error.cause.found}` : ''
    return `${error.reason}@0x${error.address.toString(16)}${cause}`
  }
  return 'none'
}

const abis: [string, Abi, string][] = [
  ['x86_64', kdumpAbi(8, true), 'x86_64'],
  ['s390x', kdumpAbi(8, false), 's390x'],
  ['i386', kdumpAbi(4, true, 4), 'i686'],
  ['Arm', kdumpAbi(4, true, 8), 'armv7l'],
  ['PowerPC', kdumpAbi(4, false, 8), 'ppc'],
]

describe('kdump reader', () => {
  it.each(abis)('finds word size and byte order of %s by itself', (_, abi, machine) => {
    const notes = Buffer.concat([
      makePrstatus(144, abi.littleEndian),
      makeVmcoreinfo('OSRELEASE=7.2.0\n', abi.littleEndian),
    ])
    const dump = openKdump({
      abi,
      machine,
      maxMapnr: 40,
      notes,
      pages: [zlibPage(3), zlibPage(39)],
      excluded: [4],
    })
    expect(dump.abi).toEqual(abi)
    expect(dump.kdump?.utsname.machine).toBe(machine)
    expect(dump.vmcoreinfo).toBe('OSRELEASE=7.2.0\n')
    expect(dump.notes).toHaveLength(2)
    expect(read(dump, 39 * 4096 + 4090, 6)).toEqual([39, 39, 39, 39, 39, 39])
    expect(dump.memory.ranges).toEqual([
      { start: 3 * 4096, end: 5 * 4096 },
      { start: 39 * 4096, end: 40 * 4096 },
    ])
  })

  it.each([abis[2], abis[3]] as [string, Abi, string][])(
    'tells the sub-header of %s by where VMCOREINFO lies when the machine has no name',
    (_, abi) => {
      const notes = makeVmcoreinfo('A=1\n')
      const dump = openKdump({ abi, machine: '', maxMapnr: 8, notes, pages: [{ pfn: 1 }] })
      expect(dump.abi.align64).toBe(abi.align64)
      expect(dump.vmcoreinfo).toBe('A=1\n')
    },
  )

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('reads header version %i', (version) => {
    const notes = makeVmcoreinfo('A=1\n')
    const dump = openKdump({ version, maxMapnr: 8, notes, pages: [{ pfn: 1 }] })
    expect(dump.kdump?.headerVersion).toBe(version)
    expect(dump.kdump?.dumpLevel).toBe(version === 0 ? 0 : 31)
    expect(dump.vmcoreinfo).toBe(version < 3 ? undefined : 'A=1\n')
    expect(dump.notes).toHaveLength(version < 3 ? 0 : 1)
    expect(read(dump, 4096, 1)).toEqual([1])
  })

  it('says hole, excluded or truncated at the first byte that is not there', () => {
    const whole = makeKdump({ maxMapnr: 100, pages: [{ pfn: 10 }, { pfn: 11 }], excluded: [12] })
    const dump = open(whole.subarray(0, whole.length - 1))
    expect(fault(dump, 10 * 4096, 4096)).toBe('none')
    expect(fault(dump, 11 * 4096, 1)).toBe('truncated@0xb000: the file ends inside the data')
    expect(fault(dump, 12 * 4096 + 5, 1)).toBe('excluded@0xc005')
    expect(fault(dump, 13 * 4096, 1)).toBe('hole@0xd000')
    expect(fault(dump, 1000 * 4096, 1)).toBe('hole@0x3e8000')
    expect(fault(dump, 9 * 4096 + 4095, 2)).toBe('hole@0x9fff')
    expect(dump.warnings.map(({ code }) => code)).toEqual(['TRUNCATED'])
    expect(dump.memory.storedPages(4096).count()).toBe(1)
  })

  it('calls a page lost whose descriptor the full disk did not take', () => {
    const lost = { offset: 0, size: 0 }
    const dump = openKdump({
      maxMapnr: 100,
      pages: [{ pfn: 1 }, { pfn: 2, ...lost }, { pfn: 3, ...lost }],
      header: { status: 9 },
    })
    expect(dump.warnings.map(({ code }) => code)).toEqual(['INCOMPLETE'])
    expect(fault(dump, 2 * 4096, 8)).toBe(
      'truncated@0x2000: offset 0: the page was lost when the dump was written',
    )
    const stored = dump.memory.storedPages(4096)
    expect([1, 2, 3].map((pfn) => stored.has(pfn))).toEqual([true, false, false])
  })

  it.each([
    ['more than a block', { size: 4097 }, '4097 bytes, more than a block'],
    [
      'half a page without codec',
      { size: 2048 },
      'flags 0x0 and 2048 bytes: neither a known codec nor a whole page',
    ],
    [
      'an unknown codec',
      { flags: 0x40 },
      'flags 0x40 and 4096 bytes: neither a known codec nor a whole page',
    ],
    ['data that is no zlib stream', { flags: 1 }, 'zlib: incorrect header check'],
    ['data that is no LZO block', { flags: 2 }, 'lzo: no match of 3 bytes from 2053 back at 4'],
    ['data that is no snappy block', { flags: 4 }, 'snappy: a block of 1 bytes, not 4096'],
    ['data that is no zstd frame', { flags: 0x20 }, 'zstd: not a frame'],
  ])('faults on a page with %s and reads the others', (_, page, message) => {
    const dump = openKdump({ maxMapnr: 8, pages: [{ pfn: 1, ...page }, { pfn: 2 }] })
    expect(fault(dump, 4096, 4096)).toBe(`truncated@0x1000: ${message}`)
    expect(fault(dump, 4100, 4)).toBe(`truncated@0x1000: ${message}`)
    expect(read(dump, 8192, 1)).toEqual([2])
  })

  it('takes one bitmap for both in old files', () => {
    const dump = openKdump({
      version: 1,
      singleBitmap: true,
      maxMapnr: 40_000,
      pages: [{ pfn: 5 }, { pfn: 39_999 }],
    })
    expect(read(dump, 39_999 * 4096, 1)).toEqual([39_999 & 0xff])
    expect(fault(dump, 4096, 1)).toBe('hole@0x1000')
  })

  it('knows the machine by NT_PRSTATUS when the header does not name it', () => {
    const sizes = [
      [336, true, 62],
      [336, false, 22],
      [376, true, 243],
      [392, true, 183],
      [504, true, 21],
      [100, true, 0],
    ] as const
    for (const [size, littleEndian, machine] of sizes) {
      const abi = kdumpAbi(8, littleEndian)
      const notes = makePrstatus(size, littleEndian)
      expect(openKdump({ abi, machine: '', notes, maxMapnr: 8, pages: [] }).elfMachine).toBe(machine)
    }
  })

  it('counts pages of another size by their first byte', () => {
    const dump = openKdump({ blockSize: 16384, maxMapnr: 8, pages: [{ pfn: 1 }, { pfn: 3 }] })
    const small = dump.memory.storedPages(4096)
    expect(Array.from({ length: small.length }, (_, i) => i).filter((pfn) => small.has(pfn))).toEqual([
      4, 5, 6, 7, 12, 13, 14, 15,
    ])
    const large = dump.memory.storedPages(32768)
    expect([0, 1].map((pfn) => large.has(pfn))).toEqual([false, false])
  })

  it('finds every page by its descriptor, for any bitmap', () => {
    const pfns = fc.uniqueArray(fc.nat(2999), { maxLength: 60 })
    fc.assert(
      fc.property(pfns, pfns, (stored, other) => {
        const pages = stored
          .toSorted((a, b) => a - b)
          .map((pfn, i) => (i % 2 === 0 ? zlibPage(pfn) : { pfn }))
        const excluded = other.filter((pfn) => !stored.includes(pfn))
        const dump = openKdump({ maxMapnr: 3000, pages, excluded })
        for (const pfn of stored) expect(read(dump, pfn * 4096, 4096)).toEqual([...filledPage(pfn)])
        for (const pfn of excluded) expect(fault(dump, pfn * 4096, 1)).toMatch(/^excluded/)
      }),
      { numRuns: 30 },
    )
  })

  it('unpacks a page once for many small reads, and reads hundreds of descriptors at a time', () => {
    const pages = Array.from({ length: 1000 }, (_, pfn) => zlibPage(pfn))
    const inner = new BufferSource(makeKdump({ maxMapnr: 1000, pages }), 'test.kdump')
    let reads = 0
    using dump = openSource({
      name: inner.name,
      size: inner.size,
      read(offset, into) {
        reads++
        return inner.read(offset, into)
      },
      [Symbol.dispose]() {},
    })
    reads = 0
    const word = new Uint8Array(8)
    for (let pass = 0; pass < 3; pass++) {
      for (let at = 0; at < 1000 * 4096; at += 512) dump.memory.read(at, word)
    }
    expect(reads).toBeLessThanOrEqual(1000 + Math.ceil(1000 / 256))
  })
})
