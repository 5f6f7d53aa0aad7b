import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferSource, FileSource, readExactly } from '../../../src/core/byte-source.ts'
import { FormatError, UsageError } from '../../../src/core/errors.ts'
import {
  deviceTreeOffset,
  imageAbi,
  type SlotHeader,
  slotHeader,
  slotSize,
  stateOffset,
} from '../../../src/formats/machine-image/layout.ts'
import { readSlots, type Slot, writeSlot } from '../../../src/formats/machine-image/slots.ts'
import { writeStateText } from '../../../src/formats/machine-image/state-text.ts'
import { makeMachineImage, makeMachineState } from '../../make/machine.ts'

const oldSlot: Slot = {
  index: 0,
  sequence: 4,
  state: makeMachineState({ boots: 1 }),
  deviceTree: Uint8Array.from(Buffer.from('the old tree')),
}
const newSlot: Slot = { ...oldSlot, index: 1, sequence: 5, state: makeMachineState({ boots: 2 }) }
const { offsets, size: headerSize } = slotHeader.layout(imageAbi)

/** Both slots as they stand in a file, cut after the last byte used. */
function makeFile(): Buffer {
  const file = Buffer.alloc(slotSize + deviceTreeOffset + newSlot.deviceTree.length)
  for (const { offset, bytes } of [oldSlot, newSlot].flatMap((slot) => writeSlot(slot, 'made'))) {
    file.set(bytes, offset)
  }
  return file
}

const read = (file: Uint8Array) => readSlots(new BufferSource(file, 'machine'))

/** Values of a header field that are none of its own: 0, the largest, one less, one more. */
function wrongValues(field: keyof SlotHeader, file: Buffer, base: number): Buffer[] {
  const bytes = { magic: 16, sequence: 8, version: 4, stateSize: 4, deviceTreeSize: 4, checksum: 4 }[field]
  const at = base + offsets[field]
  const own = Buffer.from(file.subarray(at, at + bytes))
  const changed = (by: number): Buffer => {
    const copy = Buffer.from(own)
    copy.writeUInt32LE((copy.readUInt32LE() + by) >>> 0)
    return copy
  }
  return [Buffer.alloc(bytes), Buffer.alloc(bytes, 0xff), changed(-1), changed(1)]
}

const fields = Object.keys(offsets) as (keyof SlotHeader)[]

describe('state slots', () => {
  it('are read as they were written, the newest first', () => {
    expect(read(makeFile())).toEqual({ slot: newSlot, damaged: undefined })
  })

  it('start with the magic that a reader looks for with dd', async () => {
    using file = new FileSource(await makeMachineImage())
    const start = Buffer.from(readExactly(file, 0, 16, 'magic'))
    expect(start.toString('latin1')).toBe('fadump machine\0\0')
  })

  it('hold the state as JSON text and the tree as it is', () => {
    const file = makeFile()
    const textSize = file.readUInt32LE(offsets.stateSize)
    const text = file.subarray(stateOffset, stateOffset + textSize).toString()
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(oldSlot.state)))
    expect(file.subarray(deviceTreeOffset, deviceTreeOffset + 12).toString()).toBe('the old tree')
  })

  it('refuse a state that is too large for its room, and one that could not be read again', () => {
    const text = 'x'.repeat(deviceTreeOffset)
    const large = makeMachineState({ messages: [{ boot: 1, source: 'kernel', text }] })
    expect(() => writeSlot({ ...oldSlot, state: large }, 'machine')).toThrow(UsageError)
    const absurd = makeMachineState({ pageSize: 5000 })
    expect(() => writeSlot({ ...oldSlot, state: absurd }, 'machine')).toThrow('machine state, pageSize')
  })
})

describe('damaged state slots', () => {
  it.each(fields)('the other slot is used and said, %s of the new one wrong', (field) => {
    const file = makeFile()
    for (const wrong of wrongValues(field, file, slotSize)) {
      const damaged = Buffer.from(file)
      damaged.set(wrong, slotSize + offsets[field])
      const result = read(damaged)
      expect(result.slot).toEqual(oldSlot)
      expect(result.damaged).toMatch(/^machine: state slot 1, \w+ at byte 0x8000/)
    }
  })

  it.each(fields)('the new state stays when the old one has a wrong %s', (field) => {
    const file = makeFile()
    for (const wrong of wrongValues(field, file, 0)) {
      const damaged = Buffer.from(file)
      damaged.set(wrong, offsets[field])
      const result = read(damaged)
      expect(result.slot).toEqual(newSlot)
      expect(result.damaged).toMatch(/^machine: state slot 0, /)
    }
  })

  it.each(fields)('both with a wrong %s are an error', (field) => {
    const file = makeFile()
    file.set(Buffer.alloc(4, 0x55), offsets[field])
    file.set(Buffer.alloc(4, 0x55), slotSize + offsets[field])
    expect(() => read(file)).toThrow(FormatError)
  })

  it('one byte changed anywhere in a slot is noticed', () => {
    const file = makeFile()
    const textSize = writeStateText(newSlot.state).length
    const inSlot = fc.oneof(
      fc.nat(headerSize - 1),
      fc.nat(textSize - 1).map((at) => stateOffset + at),
      fc.nat(newSlot.deviceTree.length - 1).map((at) => deviceTreeOffset + at),
    )
    fc.assert(
      fc.property(inSlot, fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const old = file[slotSize + at] as number
        file[slotSize + at] = old ^ flip
        const result = read(file)
        file[slotSize + at] = old
        expect(result.slot).toEqual(oldSlot)
        expect(result.damaged).toBeDefined()
      }),
    )
  })

  it('a file cut anywhere has the state that is whole, or none', () => {
    const file = makeFile()
    const textSize = writeStateText(oldSlot.state).length
    const around = (place: number): number[] => [-2, -1, 0, 1, 2].map((step) => place + step)
    const parts = [0, headerSize, stateOffset, stateOffset + textSize, deviceTreeOffset]
    const ends = [...parts, deviceTreeOffset + oldSlot.deviceTree.length]
    const lengths = [...ends, ...ends.map((place) => slotSize + place)].flatMap(around)
    for (const length of lengths.filter((one) => one >= 0 && one < file.length)) {
      const isWhole = length >= deviceTreeOffset + oldSlot.deviceTree.length
      if (isWhole) expect(read(file.subarray(0, length)).slot, `${length} bytes`).toEqual(oldSlot)
      else expect(() => read(file.subarray(0, length)), `${length} bytes`).toThrow(FormatError)
    }
  })

  it('something else is no machine image, and what makes one is said', () => {
    const elf = Buffer.concat([Buffer.from('\x7fELF'), Buffer.alloc(100)])
    expect(() => read(elf)).toThrow(
      expect.objectContaining({ field: 'not a machine image', found: 'bytes 7f454c4600000000' }),
    )
    expect(() => read(new Uint8Array())).toThrow('not a machine image')
  })
})
