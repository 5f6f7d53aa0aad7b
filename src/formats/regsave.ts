// The register save area: what RTAS firmware saves of every CPU. A header, a count, then entries of an
// eight-character name and a value, big endian; `CPUSTRT` and `CPUEND` enclose each CPU. The count is
// found through the header, entries follow it directly, aligned to nothing.
// Source: Linux arch/powerpc/platforms/pseries/rtas-fadump.{c,h}; QEMU hw/ppc/spapr_fadump.c.

import { hex } from '../core/address.ts'
import { Cursor } from '../core/cursor.ts'
import { abi64be, big64, struct, u32 } from '../core/struct.ts'

export const regsaveHeader = struct('rtas_fadump_reg_save_area_header', {
  magicNumber: big64('REGSAVE'),
  version: u32('0'),
  numCpuOffset: u32('where the number of CPUs stands, bytes from the start of the area'),
})

const regEntry = struct('rtas_fadump_reg_entry', {
  id: big64('name, first character in the most significant byte'),
  value: big64('register value, or the CPU number in the low 32 bits'),
})

/** Registers by pt_regs names: r0…r31, nip, msr, ctr, link, xer, ccr, dar, dsisr. */
export interface SavedCpu {
  readonly id: number
  readonly registers: ReadonlyMap<string, bigint>
}

/** Up to eight characters as a number, the first in the most significant byte; fadump's magics and names. */
export const identifier = (name: string): bigint =>
  BigInt(`0x${Buffer.from(name.padEnd(8, '\0'), 'latin1').toString('hex')}`)

const magic = identifier('REGSAVE')
const cpuStart = identifier('CPUSTRT')
const cpuEnd = identifier('CPUEND')

const gprNames = Array.from({ length: 32 }, (_, i) => `GPR${String(i).padStart(2, '0')}`)

/** QEMU's 77 registers in QEMU's order. */
const registerOrder = [
  ...'ACOP AMR BESCR CFAR CIABR CR CTR CTRL DABR DABRX DAR DAWR0 DAWR1 DAWRX0 DAWRX1 DPDES DSCR DSISR'.split(
    ' ',
  ),
  ...'EBBHR EBBRR FPSCR FSCR'.split(' '),
  ...gprNames,
  ...'IAMR IC LR MSR NIA PIR PSPB PVR RPR SPURR SRR0 SRR1 TAR TEXASR TFHAR TFIAR TIR UAMOR VRSAVE VSCR VTB'.split(
    ' ',
  ),
  ...'WORT XER'.split(' '),
]

/** Names that differ from pt_regs'. The kernel takes these and the GPRs, and skips all others. */
const ptRegsNames: Readonly<Record<string, string>> = {
  NIA: 'nip',
  MSR: 'msr',
  CTR: 'ctr',
  LR: 'link',
  XER: 'xer',
  CR: 'ccr',
  DAR: 'dar',
  DSISR: 'dsisr',
}

const headerSize = regsaveHeader.layout(abi64be).size
const entrySize = regEntry.layout(abi64be).size
const entriesPerCpu = registerOrder.length + 2

/** Bytes QEMU asks for: header, 12 bytes of padding, the count, 79 entries for every possible CPU. */
export const regsaveSize = (possibleCpus: number): number =>
  headerSize + 12 + 4 + possibleCpus * entriesPerCpu * entrySize

/**
 * The area as QEMU lays it out, one block for each of the possible CPUs 0…n-1; a CPU that is not there
 * is a start and an end. Unlike QEMU we know CTR, LR and XER, and the padding at the end is zero.
 */
export function writeRegisterSaveArea(cpus: readonly SavedCpu[], possibleCpus: number): Uint8Array {
  const bytes = new Uint8Array(regsaveSize(possibleCpus))
  const count = new DataView(bytes.buffer)
  bytes.set(regsaveHeader.write({ magicNumber: magic, version: 0, numCpuOffset: headerSize }, abi64be))
  count.setUint32(headerSize, possibleCpus)
  let at = headerSize + 4
  const put = (id: bigint, value: bigint): void => {
    bytes.set(regEntry.write({ id, value }, abi64be), at)
    at += entrySize
  }
  for (let id = 0; id < possibleCpus; id++) {
    const registers = cpus.find((cpu) => cpu.id === id)?.registers
    put(cpuStart, BigInt(id))
    for (const name of registers === undefined ? [] : registerOrder) {
      put(identifier(name), registers?.get(ptRegsName(identifier(name)) ?? '') ?? 0n)
    }
    put(cpuEnd, BigInt(id))
  }
  return bytes
}

/** The pt_regs member a register goes to; undefined for those the kernel skips. */
export function ptRegsName(id: bigint): string | undefined {
  const name = Buffer.from(id.toString(16).padStart(16, '0'), 'hex').toString('latin1')
  // Two digits as kstrtoint() reads them; the bytes after them are not looked at.
  const digits = /^GPR(\d\d|\+\d|\d[\n\0])/.exec(name)?.[1]
  const number = digits === undefined ? Number.NaN : Number.parseInt(digits, 10)
  return number <= 31 ? `r${number}` : ptRegsNames[name.replace(/\0+$/, '')]
}

/**
 * Start of the entries and number of CPUs.
 * @throws {FormatError} when the magic is wrong or the count lies outside the area.
 */
function openArea(cursor: Cursor): number {
  const header = regsaveHeader.read(cursor, abi64be)
  if (header.magicNumber !== magic) {
    throw cursor.problem('magic', {
      at: 0,
      expected: 'REGSAVE',
      found: hex(header.magicNumber),
    })
  }
  cursor.position = header.numCpuOffset
  return cursor.u32('number of CPUs')
}

/**
 * The saved CPUs in the area's order. Bounded by `bytes`: a count that is too high or a missing CPUEND
 * ends in an error, where Linux would run on into the next memory.
 * @throws {FormatError}
 */
export function parseRegisterSaveArea(bytes: Uint8Array, file: string): SavedCpu[] {
  const cursor = new Cursor(bytes, false, { file, what: 'register save area' })
  const count = openArea(cursor)
  const cpus: SavedCpu[] = []
  while (cpus.length < count) cpus.push(readCpu(cursor))
  return cpus
}

function readCpu(cursor: Cursor): SavedCpu {
  const at = cursor.position
  const start = regEntry.read(cursor, abi64be)
  if (start.id !== cpuStart) {
    throw cursor.problem('CPU state', {
      at,
      expected: 'CPUSTRT',
      found: hex(start.id),
    })
  }
  const registers = new Map<string, bigint>()
  for (;;) {
    const { id, value } = regEntry.read(cursor, abi64be)
    if (id === cpuEnd) return { id: Number(start.value & 0xffffffffn), registers }
    const name = ptRegsName(id)
    if (name !== undefined) registers.set(name, value)
  }
}

/** Does the area start as one? */
export const hasRegsaveMagic = (bytes: Uint8Array): boolean =>
  bytes.length >= 8 && new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0) === magic
