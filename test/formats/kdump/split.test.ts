import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDump } from '../../../src/formats/index.ts'
import { makeElfCore, pattern } from '../../make/elf-core.ts'
import { makeKdump, zlibPage } from '../../make/kdump.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'split-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

const pages = [1, 63, 64, 70, 190].map((pfn) => zlibPage(pfn))

const writePart = (name: string, start: number, end: number, status = 1): string =>
  write(name, makeKdump({ pages, maxMapnr: 200, part: { start, end }, header: { status } }))

describe('a split dump', () => {
  it('is read from its parts in any order, an empty one among them', () => {
    const parts = [
      writePart('c', 192, 200),
      writePart('a', 0, 64),
      writePart('d', 200, 200),
      writePart('b', 64, 192),
    ]
    using dump = openDump(parts)
    const byte = new Uint8Array(1)
    for (const { pfn } of pages) {
      dump.memory.read(pfn * 4096 + 17, byte)
      expect(byte[0]).toBe(pfn)
    }
    expect(dump.memory.storedPages(4096).count()).toBe(5)
    expect(dump.warnings).toEqual([])
    expect(dump.paths).toEqual(parts)
  })

  it('may have one part whose disk was full', () => {
    using dump = openDump([writePart('a', 0, 64), writePart('b', 64, 200, 9)])
    expect(dump.warnings.map(({ message }) => message)).toEqual([
      expect.stringContaining('b is marked incomplete'),
    ])
  })

  it('names the pages of the part that is missing', () => {
    const [a, b, c] = [writePart('a', 0, 64), writePart('b', 64, 128), writePart('c', 128, 200)]
    for (const [given, pages] of [
      [[a], '0x40 to 0xc8'],
      [[c, a], '0x40 to 0x80'],
      [[c, b], '0x0 to 0x40'],
    ] as const) {
      using dump = openDump(given)
      expect(dump.warnings).toEqual([
        {
          code: 'INCOMPLETE',
          message: `a part of the split dump is missing: the one with the pages ${pages}`,
        },
      ])
    }
  })

  it('refuses the same part twice', () => {
    const a = writePart('a', 0, 64)
    expect(() => openDump([a, a, writePart('b', 64, 200)])).toThrow(/startPfn/)
  })

  it('refuses parts of two dumps and files that are not parts', () => {
    const a = writePart('a', 0, 64)
    const other = write('o', makeKdump({ pages, maxMapnr: 300, part: { start: 64, end: 300 } }))
    expect(() => openDump([a, other])).toThrow(/o: kdump header/)
    const elf = write('e', makeElfCore({ segments: [{ physical: 0, data: pattern(16) }] }))
    expect(() => openDump([a, elf])).toThrow(/e: several files were named/)
    expect(() => openDump([elf, elf])).toThrow(/several files were named/)
  })
})
