// What an s390x kernel leaves for dump tools at a place that needs no symbols: the lowcore, the first
// two pages of memory, points to struct os_info. Source: Linux arch/s390/include/asm/os_info.h.

import type { PhysAddr } from '../address.ts'
import { FaultError } from '../errors.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import { abi64be, array, big64, nested, struct, u16, u32 } from '../struct.ts'

/** __LC_OS_INFO */
const pointerAt: PhysAddr = 0x0e18
/** "OSINFOSZ" */
const magic = 0x4f53494e464f535an

const osInfoEntry = struct(
  'os_info_entry',
  {
    value: big64('an address, or the value itself'),
    size: big64('bytes at that address, 0 for a value'),
    checksum: u32('of what is at that address'),
  },
  { packed: true },
)

const osInfo = struct(
  'os_info',
  {
    magic: big64('OSINFOSZ'),
    checksum: u32('of what follows'),
    majorVersion: u16('1'),
    minorVersion: u16('1'),
    crashkernelAddress: big64('physical'),
    crashkernelSize: big64('bytes'),
    entries: array(10, nested(osInfoEntry, 'by number'), 'facts of the running kernel'),
  },
  { packed: true },
)

/** Numbers of entries. */
const entryOf = { identityBase: 4, kaslrOffset: 5, kaslrPhysical: 6 } as const

export type OsInfo = Readonly<Record<keyof typeof entryOf, bigint>>

/** Undefined when there is none, or the page is not in the dump. */
export function readOsInfo(memory: PhysicalMemory): OsInfo | undefined {
  try {
    const pointer = new DataView(new ArrayBuffer(8))
    memory.read(pointerAt, new Uint8Array(pointer.buffer))
    const address = pointer.getBigUint64(0)
    if (address === 0n || address > BigInt(Number.MAX_SAFE_INTEGER)) return undefined
    const bytes = new Uint8Array(osInfo.layout(abi64be).size)
    memory.read(Number(address), bytes)
    const found = osInfo.parse(bytes, abi64be, { file: 'os_info' })
    if (found.magic !== magic) return undefined
    const value = (name: keyof typeof entryOf): bigint => found.entries[entryOf[name]]?.value ?? 0n
    return {
      identityBase: value('identityBase'),
      kaslrOffset: value('kaslrOffset'),
      kaslrPhysical: value('kaslrPhysical'),
    }
  } catch (error) {
    if (error instanceof FaultError) return undefined
    throw error
  }
}
