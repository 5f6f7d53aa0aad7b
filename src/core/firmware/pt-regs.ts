// struct pt_regs of ppc64: where registers by name stand in the words of the structure.
// Source: Linux arch/powerpc/include/uapi/asm/ptrace.h.

import type { MachineCpu } from '../../formats/machine-image/state.ts'
import { ppc64le } from '../arch/ppc64.ts'

/** fadump is Power's; of its kernels we know the little-endian one. */
export const kernelAbi = ppc64le.abi

/** Registers of a machine's CPU by name. */
export const registersOf = ({ registers }: MachineCpu): Map<string, bigint> =>
  new Map(Object.entries(registers).map(([name, value]) => [name, BigInt(value)]))

/** The structure in `size` bytes; registers that are not given and the kernel's own words are zero. */
export function writePtRegs(registers: ReadonlyMap<string, bigint>, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  for (const [i, name] of ppc64le.registers.names.entries()) {
    if ((i + 1) * 8 > size) break
    view.setBigUint64(i * 8, BigInt.asUintN(64, registers.get(name) ?? 0n), kernelAbi.littleEndian)
  }
  return bytes
}
