// struct pt_regs of ppc64: where registers by name stand in the words of the structure.
// Source: Linux arch/powerpc/include/uapi/asm/ptrace.h.

import { type Abi, abi64le } from '../struct.ts'

/** fadump is Power's; of its kernels we know the little-endian one. */
export const kernelAbi: Abi = abi64le

const names = [
  ...Array.from({ length: 32 }, (_, n) => `r${n}`),
  ...'nip msr orig_gpr3 ctr link xer ccr softe trap dar dsisr result'.split(' '),
]

/** The structure in `size` bytes; registers that are not given and the kernel's own words are zero. */
export function writePtRegs(registers: ReadonlyMap<string, bigint>, size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  for (const [i, name] of names.entries()) {
    if ((i + 1) * 8 > size) break
    view.setBigUint64(i * 8, BigInt.asUintN(64, registers.get(name) ?? 0n), kernelAbi.littleEndian)
  }
  return bytes
}
