// The two state slots. A new state goes into the slot that does not hold the current one, so a write
// that was cut short leaves a checksum that does not fit and the state before it untouched.

import { type ByteSource, readUpTo } from '../../core/byte-source.ts'
import { crc32c } from '../../core/crc32c.ts'
import { FormatError, UsageError } from '../../core/errors.ts'
import {
  deviceTreeOffset,
  imageAbi,
  imageMagic,
  imageVersion,
  maxDeviceTreeSize,
  maxStateSize,
  type SlotHeader,
  slotCount,
  slotHeader,
  slotSize,
  stateOffset,
} from './layout.ts'
import type { MachineState } from './state.ts'
import { parseStateText, writeStateText } from './state-text.ts'

export interface Slot {
  readonly index: number
  readonly sequence: number
  readonly state: MachineState
  readonly deviceTree: Uint8Array
}

export interface SlotBytes {
  readonly offset: number
  readonly bytes: Uint8Array
}

const { size: headerSize, offsets } = slotHeader.layout(imageAbi)

/**
 * The newest good slot; `damaged` says why the other one is not good.
 * @throws {FormatError} when none is good, or it is no machine image.
 */
export function readSlots(source: ByteSource): { slot: Slot; damaged: string | undefined } {
  const slots: Slot[] = []
  const problems: FormatError[] = []
  for (let index = 0; index < slotCount; index++) {
    try {
      slots.push(readSlot(source, index))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      problems.push(error)
    }
  }
  const slot = slots.toSorted((a, b) => b.sequence - a.sequence)[0]
  if (slot !== undefined) return { slot, damaged: problems[0]?.message }
  throw unreadable(source, problems)
}

function unreadable(source: ByteSource, problems: readonly FormatError[]): FormatError {
  if (isMachineImage(source)) {
    return new FormatError({
      file: source.name,
      field: 'machine image, both state slots are damaged',
      expected: 'one good slot',
      found: problems.map((problem) => problem.message).join('; '),
      hint: 'make the machine again with fadump create',
    })
  }
  return new FormatError({
    file: source.name,
    offset: 0,
    field: 'not a machine image',
    expected: `"${imageMagic}"`,
    found: `bytes ${Buffer.from(readUpTo(source, 0, 8)).toString('hex')}`,
    hint: 'fadump create makes one, from a dump with --from or blank with --memory',
  })
}

/** Does a state slot, damaged or not, start where one should? */
export const isMachineImage = (source: ByteSource): boolean =>
  hasMagic(readHeader(source, 0)) || hasMagic(readHeader(source, 1))

const hasMagic = (header: Uint8Array): boolean =>
  Buffer.from(header.subarray(0, 16)).toString('latin1') === imageMagic.padEnd(16, '\0')

const readHeader = (source: ByteSource, index: number): Uint8Array =>
  readUpTo(source, index * slotSize, headerSize)

function readSlot(source: ByteSource, index: number): Slot {
  const base = index * slotSize
  const bytes = readHeader(source, index)
  const what = `state slot ${index}`
  const header = slotHeader.parse(bytes, imageAbi, { file: source.name, base, what })
  const problem = (field: keyof SlotHeader, expected: string): FormatError =>
    new FormatError({
      file: source.name,
      offset: base + offsets[field],
      field: `${what}, ${field}`,
      expected,
      found: String(header[field]),
    })
  if (!hasMagic(bytes)) throw problem('magic', imageMagic)
  if (header.version !== imageVersion) throw problem('version', `${imageVersion}`)
  if (header.stateSize > maxStateSize) throw problem('stateSize', `at most ${maxStateSize}`)
  if (header.deviceTreeSize > maxDeviceTreeSize)
    throw problem('deviceTreeSize', `at most ${maxDeviceTreeSize}`)
  const stateText = readUpTo(source, base + stateOffset, header.stateSize)
  const deviceTree = readUpTo(source, base + deviceTreeOffset, header.deviceTreeSize)
  const sum = crc32c(bytes.subarray(0, offsets.checksum), stateText, deviceTree)
  if (header.checksum !== sum) throw problem('checksum', `${sum}, the CRC-32C of the slot`)
  return { index, sequence: header.sequence, state: parseStateText(stateText, source.name), deviceTree }
}

/**
 * A slot as bytes of the file, the header last. What could not be read again is not written.
 * @throws {UsageError} when it does not fit. @throws {FormatError} naming a field that makes no sense.
 */
export function writeSlot(slot: Slot, file: string): readonly SlotBytes[] {
  const base = slot.index * slotSize
  const stateText = writeStateText(slot.state)
  parseStateText(stateText, file)
  if (stateText.length > maxStateSize || slot.deviceTree.length > maxDeviceTreeSize) {
    throw new UsageError('the state of the machine is too large for its image', {
      hint: `at most ${maxStateSize} bytes of state and ${maxDeviceTreeSize} of device tree; fewer CPUs or memory ranges help`,
    })
  }
  const header = slotHeader.write(
    {
      magic: imageMagic,
      sequence: slot.sequence,
      version: imageVersion,
      stateSize: stateText.length,
      deviceTreeSize: slot.deviceTree.length,
    },
    imageAbi,
  )
  const sum = crc32c(header.subarray(0, offsets.checksum), stateText, slot.deviceTree)
  new DataView(header.buffer).setUint32(offsets.checksum, sum, imageAbi.littleEndian)
  return [
    { offset: base + stateOffset, bytes: stateText },
    { offset: base + deviceTreeOffset, bytes: slot.deviceTree },
    { offset: base, bytes: header },
  ]
}
