import { describe, expect, it } from 'vitest'
import {
  elfAbi,
  elfHeader,
  programHeader32,
  programHeader64,
  sectionHeader,
  targetAbi,
} from '../../../src/formats/elf/layout.ts'

const narrow = elfAbi(false, true)
const wide = elfAbi(true, true)

describe('ELF header tables have the offsets of the gABI', () => {
  it('in the file header', () => {
    expect(elfHeader.layout(narrow)).toMatchObject({
      size: 52,
      offsets: {
        programOffset: 28,
        sectionOffset: 32,
        flags: 36,
        headerSize: 40,
        programCount: 44,
        sectionNames: 50,
      },
    })
    expect(elfHeader.layout(wide)).toMatchObject({
      size: 64,
      offsets: {
        programOffset: 32,
        sectionOffset: 40,
        flags: 48,
        headerSize: 52,
        programCount: 56,
        sectionNames: 62,
      },
    })
  })

  it('in the program header', () => {
    expect(programHeader32.layout(narrow)).toMatchObject({
      size: 32,
      offsets: {
        type: 0,
        offset: 4,
        virtual: 8,
        physical: 12,
        fileSize: 16,
        memorySize: 20,
        flags: 24,
        align: 28,
      },
    })
    expect(programHeader64.layout(wide)).toMatchObject({
      size: 56,
      offsets: {
        type: 0,
        flags: 4,
        offset: 8,
        virtual: 16,
        physical: 24,
        fileSize: 32,
        memorySize: 40,
        align: 48,
      },
    })
  })

  it('in the section header', () => {
    expect(sectionHeader.layout(narrow)).toMatchObject({
      size: 40,
      offsets: { size: 20, link: 24, info: 28 },
    })
    expect(sectionHeader.layout(wide)).toMatchObject({ size: 64, offsets: { size: 32, link: 40, info: 44 } })
  })
})

describe('ABI of the dumped machine', () => {
  it('is 32-bit for i386 and Arm even in an ELF64 file', () => {
    expect(targetAbi(3, true, true)).toEqual({ wordBytes: 4, littleEndian: true, align64: 4 })
    expect(targetAbi(40, true, true)).toEqual({ wordBytes: 4, littleEndian: true, align64: 8 })
  })

  it('follows the class for MIPS, which is both', () => {
    expect(targetAbi(8, false, false).wordBytes).toBe(4)
    expect(targetAbi(8, true, false).wordBytes).toBe(8)
  })
})
