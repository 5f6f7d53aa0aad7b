// Where things stand in a machine image. The file is cut into units of 4 MiB, so that dd finds every
// part with bs=4M: unit 0 and 2 hold the two state slots, unit 1 and 3 their device trees, RAM starts
// at unit 4. Numbers are little-endian whatever the machine is.

import { MiB } from '../../core/address.ts'
import { abi64le, chars, type Of, struct, u32, u64 } from '../../core/struct.ts'

export const imageMagic = 'fadump machine'
export const imageVersion = 1

/** Starts each slot. The checksum is the last field: it covers the header before it and both payloads. */
export const slotHeader = struct('slot header', {
  magic: chars(16, '"fadump machine", NUL-padded'),
  sequence: u64('the good slot with the higher number is the state of the machine'),
  version: u32('1'),
  stateSize: u32('bytes of JSON text, 4096 bytes into the slot'),
  deviceTreeSize: u32('bytes of the flattened device tree, 4 MiB into the slot'),
  checksum: u32('CRC-32C of the fields above, the JSON text and the device tree'),
})
export type SlotHeader = Of<typeof slotHeader>

export const imageAbi = abi64le
export const slotCount = 2
/** Bytes from one slot to the next. */
export const slotSize = 8 * MiB
/** Bytes into the slot. */
export const stateOffset = 4096
/** Bytes into the slot. */
export const deviceTreeOffset = 4 * MiB
export const maxStateSize = deviceTreeOffset - stateOffset
export const maxDeviceTreeSize = slotSize - deviceTreeOffset
/** Bytes into the file at which RAM starts; a multiple of 64 KiB, so that QEMU can map it. */
export const ramOffset = slotCount * slotSize
