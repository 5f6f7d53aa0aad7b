// The architectures we can read, one file each. To add one: write the file, put it in the list, add a
// dump of it to the tests.

import type { PhysAddr, VirtAddr } from '../address.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import type { Translation } from '../memory/virtual.ts'
import type { Abi } from '../struct.ts'
import { arm64 } from './arm64.ts'
import type { KernelFacts } from './facts.ts'
import { ppc64, ppc64le } from './ppc64.ts'
import { riscv64 } from './riscv64.ts'
import { s390x } from './s390x.ts'
import { x86_64 } from './x86-64.ts'

export type ArchName = 'x86_64' | 'ppc64le' | 'ppc64' | 'arm64' | 's390x' | 'riscv64'

export interface TranslationInputs {
  readonly facts: KernelFacts
  readonly memory: PhysicalMemory
  /** Bytes. */
  readonly pageSize: number
  /** (virtual, physical) starts of PT_LOADs; prove nothing when both are equal (hypervisor dumps). */
  readonly segments: readonly {
    readonly virtual: bigint
    readonly physical: PhysAddr
    readonly memorySize: number
  }[]
}

export interface RegisterSet {
  /** NT_PRSTATUS desc size, bytes. */
  readonly prstatusSize: number
  /** Names of the u64 slots from byte 112 of the desc on, in order. */
  readonly names: readonly string[]
  readonly programCounter: string
  readonly stackPointer: string
  /** A CPU ran user space when `register & mask` is `value`. */
  readonly userMode: { readonly register: string; readonly mask: bigint; readonly value: bigint }
}

export interface Arch {
  readonly name: ArchName
  readonly elfMachine: number
  /** As uname -m prints it. */
  readonly utsMachine: string
  readonly abi: Abi
  /** No structure of the kernel lies below, whatever the layout of its address space. */
  readonly lowestAddress: VirtAddr
  /** SECTION_SIZE_BITS of kernels that do not state it (before Linux 5.13). */
  readonly oldSectionBits: number
  readonly registers: RegisterSet
  /** @throws {KernelError} when the kernel does not say enough. */
  openTranslation(inputs: TranslationInputs): Translation
}

export const archList: readonly Arch[] = [x86_64, ppc64le, ppc64, arm64, s390x, riscv64]

/** A machine number may stand for two: ppc64 in either byte order. */
export const findArch = (dump: { readonly elfMachine: number; readonly abi: Abi }): Arch | undefined =>
  archList.find(
    ({ elfMachine, abi }) => elfMachine === dump.elfMachine && abi.littleEndian === dump.abi.littleEndian,
  )
