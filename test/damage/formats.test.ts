// Every header field of every format wrong in six ways, every cut, and random bytes.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpError } from '../../src/core/errors.ts'
import {
  elfAbi,
  elfHeader,
  programHeader32,
  programHeader64,
  sectionHeader,
} from '../../src/formats/elf/layout.ts'
import { flattenedAbi, flattenedHeader, recordHeader } from '../../src/formats/flattened/layout.ts'
import { kdumpAbi, kdumpHeader, pageDescriptor, subHeader } from '../../src/formats/kdump/layout.ts'
import { cuts, type Damaged, damageFields, memoryTaken, readDamaged } from '../make/damage.ts'
import { makeElfCore, makePrstatus, makeVmcoreinfo, pattern } from '../make/elf-core.ts'
import { makeFlattened } from '../make/flattened.ts'
import { makeKdump, zlibPage } from '../make/kdump.ts'

const notes = (littleEndian: boolean) =>
  Buffer.concat([makePrstatus(336, littleEndian), makeVmcoreinfo('OSRELEASE=7.2.0\n', littleEndian)])

const elfOf = (is64: boolean, littleEndian: boolean, manyHeaders = false) =>
  makeElfCore({
    is64,
    littleEndian,
    manyHeaders,
    noteAreas: [notes(littleEndian)],
    segments: [
      { physical: 64, data: pattern(128) },
      { physical: 256, data: pattern(64), memorySize: 128 },
    ],
  })

const kdumpOf = (wordBytes: 4 | 8, littleEndian: boolean, machine: string) =>
  makeKdump({
    abi: kdumpAbi(wordBytes, littleEndian, machine === 'i686' ? 4 : 8),
    machine,
    notes: notes(littleEndian),
    maxMapnr: 32,
    pages: [zlibPage(1), zlibPage(2), { pfn: 20 }],
    excluded: [3],
  })

/** Each is read, or refused by a DumpError. */
function surviveAll(damaged: Iterable<Damaged>, pageSize: number): number {
  let count = 0
  const taken = memoryTaken(() => {
    for (const { what, bytes } of damaged) {
      count++
      try {
        readDamaged(bytes, pageSize)
      } catch (error) {
        throw new Error(`${what}: ${error}`, { cause: error })
      }
    }
  })
  expect(taken).toBeLessThan(256 * 2 ** 20)
  return count
}

describe('damaged ELF cores', () => {
  it.each([
    [true, true],
    [true, false],
    [false, true],
  ])('with a wrong field are refused or read (ELF64 %s, little endian %s)', (is64, littleEndian) => {
    const abi = elfAbi(is64, littleEndian)
    const program = is64 ? programHeader64 : programHeader32
    for (const many of [false, true]) {
      const file = elfOf(is64, littleEndian, many)
      const first = elfHeader.layout(abi).size
      const { size } = program.layout(abi)
      surviveAll(damageFields(file, elfHeader, abi, 0), 64)
      for (let i = 0; i < 3; i++) surviveAll(damageFields(file, program, abi, first + i * size), 64)
      if (many) surviveAll(damageFields(file, sectionHeader, abi, first + 3 * size), 64)
    }
  })

  it('cut anywhere give the bytes that are left, or an error', () => {
    const file = elfOf(true, true)
    const whole = readDamaged(file, 64)
    if (whole instanceof DumpError) throw whole
    expect([...whole.keys()]).toEqual([64, 128, 256])
    for (const { what, bytes } of cuts(file)) {
      const pages = readDamaged(bytes, 64)
      if (pages instanceof DumpError) continue
      for (const [address, page] of pages) expect(page, what).toEqual(whole.get(address))
    }
  })
})

describe('damaged kdump files', () => {
  it.each([
    [8, true, 'x86_64'],
    [8, false, 's390x'],
    [4, true, 'i686'],
    [4, false, 'ppc'],
  ] as const)(
    'with a wrong field are refused or read (%i bytes a word, little endian %s, %s)',
    (word, little, machine) => {
      const abi = kdumpAbi(word, little, machine === 'i686' ? 4 : 8)
      const file = kdumpOf(word, little, machine)
      surviveAll(damageFields(file, kdumpHeader, abi, 0), 4096)
      surviveAll(damageFields(file, subHeader, abi, 4096), 4096)
      for (let i = 0; i < 3; i++) surviveAll(damageFields(file, pageDescriptor, abi, 4 * 4096 + i * 24), 4096)
    },
  )

  it('cut anywhere give the pages that are left, or an error', () => {
    const file = kdumpOf(8, true, 'x86_64')
    const whole = readDamaged(file, 4096)
    if (whole instanceof DumpError) throw whole
    expect(whole.size).toBe(3)
    const descriptors = 4 * 4096
    for (const { what, bytes } of [
      ...cuts(file.subarray(0, descriptors), 0, 61),
      ...cuts(file, descriptors),
    ]) {
      const pages = readDamaged(bytes, 4096)
      if (pages instanceof DumpError) continue
      for (const [address, page] of pages)
        expect(Buffer.compare(page, whole.get(address) ?? page), what).toBe(0)
    }
  })
})

describe('damaged flattened streams', () => {
  const elf = elfOf(true, true)
  const stream = makeFlattened([
    [300, elf.subarray(300)],
    [0, elf.subarray(0, 300)],
  ])

  it('with a wrong field are refused or read', () => {
    surviveAll(damageFields(stream, flattenedHeader, flattenedAbi, 0), 64)
    for (const at of [4096, 4096 + 16 + elf.length - 300, stream.length - 16]) {
      surviveAll(damageFields(stream, recordHeader, flattenedAbi, at), 64)
    }
  })

  it('cut anywhere are refused or read', () => {
    expect(surviveAll(cuts(stream, 4000), 64)).toBeGreaterThan(500)
  })
})

describe('random damage', () => {
  it.each([
    ['ELF', elfOf(true, true), 4096],
    ['kdump', kdumpOf(8, true, 'x86_64'), 4096],
    ['flattened', makeFlattened([[0, elfOf(true, true)]]), 4096],
  ] as const)('of %s is refused or read', (_, file, pageSize) => {
    const change = fc.record({ at: fc.nat(file.length - 1), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const bytes = file.slice()
        for (const { at, byte } of changes) bytes[at] = byte
        readDamaged(bytes, pageSize)
      }),
      { numRuns: 300 },
    )
  })
})
