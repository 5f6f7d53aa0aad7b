// fadump_crash_info_header: a note from the crashed kernel to the capture kernel, past the copy of boot
// memory. The fixed part states the sizes of the two parts after it, registers and CPU mask; it is in
// the crashed kernel's byte order.
// Source: Linux arch/powerpc/include/asm/fadump-internal.h, v6.10 and later.

import { type Abi, big64, type Of, struct, u32, u64 } from '../core/struct.ts'
import type { KernelTraits } from './machine-image/state.ts'
import { identifier } from './regsave.ts'

export const crashInfoHeader = struct('fadump_crash_info_header', {
  magicNumber: big64('FADMPSIG'),
  version: u32('1'),
  crashingCpu: u32('logical CPU; 0xffffffff until the kernel crashes'),
  vmcoreinfoAddress: u64('physical address where the VMCOREINFO note will be found, relocated'),
  vmcoreinfoSize: u64('room of the note, bytes'),
  ptRegsSize: u32('sizeof(struct pt_regs); the registers follow this header'),
  cpuMaskSize: u32('sizeof(struct cpumask); the mask follows the registers'),
})
export type CrashInfoHeader = Of<typeof crashInfoHeader>

export const crashInfoMagic = identifier('FADMPSIG')
/** Before v6.10; kernels since then refuse it. */
export const oldCrashInfoMagic = identifier('FADMPINF')
export const unknownCpu = 0xffffffff

/** struct cpumask: one bit a CPU in whole words. */
export const cpuMaskSize = (maxCpus: number): number => Math.ceil(maxCpus / 64) * 8

export const crashInfoSize = (kernel: KernelTraits, abi: Abi): number =>
  crashInfoHeader.layout(abi).size + kernel.ptRegsSize + cpuMaskSize(kernel.maxCpus)

export interface CrashInfo {
  readonly header: CrashInfoHeader
  /** struct pt_regs as it lies in memory. */
  readonly registers: Uint8Array
  readonly cpuMask: Uint8Array
}

export const writeCrashInfo = (info: CrashInfo, abi: Abi): Uint8Array =>
  Buffer.concat([crashInfoHeader.write(info.header, abi), info.registers, info.cpuMask])

/** Take `bytes` apart by the sizes it states. @throws {FormatError} when it is too short for them. */
export function parseCrashInfo(bytes: Uint8Array, abi: Abi, file: string): CrashInfo {
  const header = crashInfoHeader.parse(bytes, abi, { file })
  const registersAt = crashInfoHeader.layout(abi).size
  const maskAt = registersAt + header.ptRegsSize
  return {
    header,
    registers: bytes.subarray(registersAt, maskAt),
    cpuMask: bytes.subarray(maskAt, maskAt + header.cpuMaskSize),
  }
}

/** A mask of `size` bytes with these CPUs set. */
export function writeCpuMask(cpus: Iterable<number>, size: number, abi: Abi): Uint8Array {
  const mask = new Uint8Array(size)
  for (const cpu of cpus) mask[maskByte(cpu, abi)] |= 1 << (cpu & 7)
  return mask
}

export const cpuMaskHas = (mask: Uint8Array, cpu: number, abi: Abi): boolean =>
  ((mask[maskByte(cpu, abi)] ?? 0) & (1 << (cpu & 7))) !== 0

/** Words of 64 bits: on big-endian machines a word's lowest bits are in its last byte. */
const maskByte = (cpu: number, abi: Abi): number => (cpu >>> 3) ^ (abi.littleEndian ? 0 : 7)
