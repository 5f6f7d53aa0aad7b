// Everything a machine image holds besides its RAM, as plain data. Addresses and sizes in bytes;
// 64-bit register values and virtual addresses as `0x…` strings, because JSON has no bigint.

import type { ArchName } from '../../core/arch/index.ts'
import type { Ranges } from '../../core/ranges.ts'

/** production → registered → crashed → capture → production */
export type MachineStage = 'production' | 'registered' | 'crashed' | 'capture'

export type FirmwareName = 'rtas' | 'opal'

export interface MachineCpu {
  /** Logical CPU number. */
  readonly id: number
  readonly online: boolean
  /** Register name → `0x…`: r0…r31, nip, msr, orig_gpr3, ctr, link, xer, ccr, softe, trap, dar, dsisr, result. */
  readonly registers: Readonly<Record<string, string>>
}

/** What is compiled into the kernel and decides sizes in its structures. */
export interface KernelTraits {
  readonly release: string | undefined
  /** CONFIG_NR_CPUS; the cpumask has this many bits, rounded up to words. */
  readonly maxCpus: number
  /** sizeof(struct pt_regs). */
  readonly ptRegsSize: number
  /** COMMAND_LINE_SIZE. */
  readonly commandLineSize: number
  /** e_flags of core files: 2 for ELFv2 ABI kernels. */
  readonly elfFlags: number
  /** Physical address and room of the VMCOREINFO note, undefined when the memory holds none. */
  readonly vmcoreinfo: { readonly address: number; readonly size: number } | undefined
}

/** The kernel's fw_dump: what it reserved and where things are. */
export interface FadumpConfig {
  readonly enabled: boolean
  readonly nocma: boolean
  readonly reserveStart: number
  /** Bytes; `mem_reserved` of sysfs. Not page aligned. */
  readonly reserveSize: number
  readonly bootMemorySize: number
  readonly bootMemoryTop: number
  readonly bootMemoryRegions: readonly {
    readonly address: number
    readonly size: number
    readonly copy: number
  }[]
  readonly cpuStateSize: number
  readonly hpteSize: number
  readonly bootMemoryCopy: number
  readonly headerAddress: number
  /** Physical address of the FDM the kernel built; undefined before it did. */
  readonly fdmAddress: number | undefined
  readonly parameterArea: number | undefined
  readonly cma: { readonly start: number; readonly end: number } | undefined
}

/** What firmware keeps for itself, out of the kernel's reach. */
export interface FirmwareState {
  readonly registered: boolean
  readonly dumpActive: boolean
  /** Private copy of the FDM, hexadecimal; results are written into it. */
  readonly fdm: string | undefined
  /** Copying that was begun and must be redone if it was cut short. */
  readonly copying: boolean
  /** End of the real-mode area, bytes. */
  readonly rmaSize: number
}

export interface CrashState {
  /** The CPU whose kernel gave up; undefined when firmware or a person ended it from outside. */
  readonly cpu: number | undefined
  readonly reason: string
  /** Seconds since 1970. */
  readonly time: number
  /**
   * What the dying kernel wrote, in order, bytes in hexadecimal: kept until it and firmware's copying are
   * done, to be done again when they were cut short. Empty afterwards.
   */
  readonly writes: readonly { readonly address: number; readonly bytes: string }[]
}

export interface CaptureState {
  readonly commandLine: string
  readonly elfcorehdrAddress: number
  readonly elfcorehdrSize: number
  readonly noteBufferAddress: number
  readonly noteBufferSize: number
}

export interface MachineMessage {
  /** Number of the boot, from 1. */
  readonly boot: number
  readonly source: 'kernel' | 'firmware'
  readonly text: string
}

export interface MachineState {
  readonly stage: MachineStage
  readonly arch: ArchName
  readonly pageSize: number
  readonly mmu: 'radix' | 'hash'
  readonly firmware: FirmwareName
  /** RAM, sorted; holes between the ranges are not stored. */
  readonly memory: Ranges
  /** The root's `reserved-ranges`: firmware's own, never usable. */
  readonly reservedRanges: Ranges
  /** Memory taken before the crash reservation: the kernel image and the like. */
  readonly kernelReserved: Ranges
  readonly maxCpus: number
  readonly cpus: readonly MachineCpu[]
  readonly kernel: KernelTraits
  /** /chosen/bootargs of the next boot. */
  readonly commandLine: string
  readonly fadump: FadumpConfig | undefined
  readonly firmwareState: FirmwareState
  readonly capture: CaptureState | undefined
  readonly crash: CrashState | undefined
  readonly boots: number
  readonly messages: readonly MachineMessage[]
  /** Where the machine came from, for people. */
  readonly origin: string
}
