// Small files that claim to be huge. In a flattened stream a record far away makes everything before it
// "inside the file", so no check against the file's size helps.

import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../src/core/byte-source.ts'
import { FormatError } from '../../src/core/errors.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { openSource } from '../../src/formats/index.ts'
import { memoryTaken } from '../make/damage.ts'
import { makeElfCore, pattern } from '../make/elf-core.ts'
import { filterBytes } from '../make/filtered.ts'
import { makeFlattened } from '../make/flattened.ts'
import { makeKdump } from '../make/kdump.ts'

const MiB = 2 ** 20
const open = (bytes: Uint8Array): Dump => openSource(new BufferSource(bytes, 'small'))
const withGap = (head: Uint8Array): Uint8Array =>
  makeFlattened([
    [0, head],
    [2 ** 45, new Uint8Array(16)],
  ])
const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset)

function refusedCheaply(bytes: Uint8Array, message: RegExp): void {
  const taken = memoryTaken(() => {
    expect(() => open(bytes)).toThrow(FormatError)
    expect(() => open(bytes)).toThrow(message)
  })
  expect(taken).toBeLessThan(200 * MiB)
}

describe('a small file is refused before memory is taken when it claims', () => {
  it('four thousand million program headers', () => {
    const elf = makeElfCore({ segments: [{ physical: 0, data: pattern(64) }], manyHeaders: true })
    // sh_info of section 0, which follows one program header.
    viewOf(elf).setUint32(64 + 56 + 44, 0xffff_fff0, true)
    refusedCheaply(withGap(elf), /section header 0, sh_info/)
  })

  it('terabytes of memory that were left out', () => {
    const segments = [{ physical: 0, data: pattern(4096), memorySize: 2 ** 45 }]
    refusedCheaply(makeElfCore({ segments }), /PT_LOAD, p_memsz/)
    const sparse = open(
      makeElfCore({ segments: [{ physical: 0, data: pattern(4096), memorySize: 2 ** 36 }] }),
    )
    expect(sparse.memory.storedPages(4096).count()).toBe(1)
  })

  it('the same notes tens of thousands of times', () => {
    const count = 60_000
    const elf = makeElfCore({
      segments: [{ physical: 0, data: pattern(64) }],
      noteAreas: Array.from({ length: count }, () => new Uint8Array(0)),
    })
    const file = Buffer.concat([elf, new Uint8Array(4096)])
    for (let i = 0; i < count; i++) {
      file.writeBigUInt64LE(BigInt(elf.length), 64 + 56 * i + 8)
      file.writeBigUInt64LE(4096n, 64 + 56 * i + 32)
    }
    refusedCheaply(file, /PT_NOTE, p_filesz/)
  })

  it('more notes than there are CPUs', () => {
    const notes = Buffer.alloc(5 * MiB)
    for (let at = 0; at < notes.length; at += 16) notes.write('\x01\0\0\0\0\0\0\0\0\0\0\0A', at, 'latin1')
    const elf = makeElfCore({ segments: [{ physical: 0, data: pattern(64) }], noteAreas: [notes] })
    refusedCheaply(elf, /number of notes/)
  })

  it('bitmaps of gigabytes', () => {
    const kdump = makeKdump({ pages: [{ pfn: 1 }], maxMapnr: 32, sub: { maxMapnr64: 2 ** 34 } })
    viewOf(kdump).setUint32(436, MiB, true)
    refusedCheaply(withGap(kdump), /kdump bitmap/)
  })

  it('VMCOREINFO of gigabytes', () => {
    const sub = { vmcoreinfoOffset: 4200, vmcoreinfoSize: 2 ** 38 }
    const kdump = makeKdump({ pages: [{ pfn: 1 }], maxMapnr: 32, sub })
    refusedCheaply(withGap(kdump), /vmcoreinfoOffset and vmcoreinfoSize/)
  })

  it('memory in millions of pieces', () => {
    const bits = new Uint8Array(MiB).fill(0x55)
    const kdump = makeKdump({ pages: [], maxMapnr: 32, sub: { maxMapnr64: 8 * MiB } })
    viewOf(kdump).setUint32(436, (2 * bits.length) / 4096, true)
    refusedCheaply(Buffer.concat([kdump.subarray(0, 8192), bits, bits]), /bitmap of existing pages/)
  })
})

it('a page at 16 TiB takes no memory for the hole below it', () => {
  const end = 16 * 2 ** 40
  const dump = open(makeElfCore({ segments: [{ physical: end - 4096, data: pattern(4096) }] }))
  const taken = memoryTaken(() => {
    const stored = dump.memory.storedPages(4096).clone()
    expect(stored.count()).toBe(1)
    expect(stored.next(0)).toBe(end / 4096 - 1)
  })
  expect(taken).toBeLessThan(200 * MiB)
}, 30_000)

it('a page at 15 TiB is filtered at the cost of a page', async () => {
  const source = makeElfCore({
    segments: [
      { physical: 0, data: pattern(4096) },
      { physical: 15 * 2 ** 40, data: pattern(4096) },
    ],
  })
  const before = process.resourceUsage()
  const { result, dump } = await filterBytes(source, { format: 'elf', level: 1 })
  using _ = dump
  const after = process.resourceUsage()
  expect(result).toMatchObject({ pageSize: 4096, storedPages: 2, incomplete: false })
  expect(after.maxRSS - before.maxRSS).toBeLessThan(200 * 1024)
  expect(after.userCPUTime + after.systemCPUTime - before.userCPUTime - before.systemCPUTime).toBeLessThan(
    3e6,
  )
})
