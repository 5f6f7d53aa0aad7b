import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { type LoadHeader, writeElfHead } from '../../../src/formats/elf/writer.ts'
import { openSource } from '../../../src/formats/index.ts'
import { makePrstatus, makeVmcoreinfo } from '../../make/elf-core.ts'

const load = (physical: number, fileSize: number, memorySize: number, dataOffset = 0): LoadHeader => ({
  physical,
  virtual: 0xc000_0000_0000_0000n + BigInt(physical),
  flags: 7,
  fileSize,
  memorySize,
  dataOffset,
})

describe('ELF head', () => {
  it('has file header, PT_NOTE, PT_LOADs and notes, in that order and without gaps', () => {
    const notes = makeVmcoreinfo('A=1\n')
    const loads = [load(0, 0, 0x3000), load(0x3000, 0x1000, 0x1000, 0)]
    const head = writeElfHead({ machine: 21, littleEndian: true, flags: 2, notes, loads })
    const view = new DataView(head.buffer, head.byteOffset)
    expect(head.length).toBe(64 + 3 * 56 + notes.length)
    expect([view.getUint16(16, true), view.getUint16(18, true), view.getUint32(48, true)]).toEqual([4, 21, 2])
    expect([0, 1, 2].map((i) => view.getUint32(64 + i * 56, true))).toEqual([4, 1, 1])
    // p_offset: the notes, and for both the data after the notes, although the first has none of it.
    const offsets = [0, 1, 2].map((i) => view.getUint32(64 + i * 56 + 8, true))
    expect(offsets).toEqual([64 + 3 * 56, head.length, head.length])
    // p_align 0, or crash takes a file whose first segment is page aligned for a netdump.
    expect([0, 1, 2].map((i) => view.getUint32(64 + i * 56 + 48, true))).toEqual([0, 0, 0])
  })

  it('is read as it was written, for any segments and byte order', () => {
    const sizes = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(sizes, fc.boolean(), (list, littleEndian) => {
        let address = 0
        let data = 0
        const loads = list.map(([stored, left]) => {
          const made = load(address, stored * 16, (stored + left) * 16, data)
          address += made.memorySize
          data += made.fileSize
          return made
        })
        const notes = makePrstatus(504, littleEndian)
        const head = writeElfHead({ machine: 21, littleEndian, flags: 0, notes, loads })
        using dump = openSource(new BufferSource(Buffer.concat([head, new Uint8Array(data)])))
        expect(dump.segments.map(({ offset, align, ...segment }) => segment)).toEqual(
          loads.map(({ dataOffset, ...segment }) => segment),
        )
        expect(dump.segments.map(({ offset }) => offset - head.length)).toEqual(
          loads.map((l) => l.dataOffset),
        )
        expect(Buffer.compare(dump.noteBytes, notes)).toBe(0)
        expect(dump.warnings).toEqual([])
      }),
    )
  })
})
