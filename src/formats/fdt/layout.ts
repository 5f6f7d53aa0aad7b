// The flattened form of a device tree, version 17: header, memory reservations, structure block of
// 32-bit tokens, block of property names. All big-endian. Source: Devicetree Specification 0.4, chapter 5.

import { abi64be, type Of, struct, u32 } from '../../core/struct.ts'

export const fdtMagic = 0xd00dfeed
export const fdtAbi = abi64be

export const fdtHeader = struct('fdt_header', {
  magic: u32('0xd00dfeed'),
  totalSize: u32('bytes of the whole blob'),
  structOffset: u32('bytes from the start of the blob to the structure block'),
  stringsOffset: u32('bytes from the start of the blob to the property names'),
  reservationsOffset: u32('bytes from the start of the blob to the memory reservations'),
  version: u32('16 or 17'),
  lastCompatibleVersion: u32('16'),
  bootCpu: u32('physical id of the CPU that boots'),
  stringsSize: u32('bytes'),
  structSize: u32('bytes; since version 17'),
})
export type FdtHeader = Of<typeof fdtHeader>

/** Tokens of the structure block. */
export const tokens = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const
