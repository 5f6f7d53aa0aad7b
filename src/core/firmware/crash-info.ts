// The header the crashed kernel leaves for the capture kernel: empty but for sizes and VMCOREINFO's place
// at registration, filled when the kernel dies.
// Source: Linux arch/powerpc/kernel/fadump.c (init_fadump_header, fadump_relocate, crash_fadump).

import {
  type CrashInfo,
  cpuMaskSize,
  crashInfoMagic,
  unknownCpu,
  writeCpuMask,
  writeCrashInfo,
} from '../../formats/fdh.ts'
import type { FadumpConfig, MachineState } from '../../formats/machine-image/state.ts'
import { kernelAbi, writePtRegs } from './pt-regs.ts'

/** As it is written at registration: no CPU has crashed, all possible CPUs are in the mask. */
export function newCrashInfo({ kernel, maxCpus }: MachineState, config: FadumpConfig): CrashInfo {
  const note = kernel.vmcoreinfo
  const maskSize = cpuMaskSize(kernel.maxCpus)
  return {
    header: {
      magicNumber: crashInfoMagic,
      version: 1,
      crashingCpu: unknownCpu,
      vmcoreinfoAddress: note === undefined ? 0 : relocate(config.bootMemoryRegions, note.address),
      vmcoreinfoSize: note?.size ?? 0,
      ptRegsSize: kernel.ptRegsSize,
      cpuMaskSize: maskSize,
    },
    registers: new Uint8Array(kernel.ptRegsSize),
    cpuMask: writeCpuMask(
      Array.from({ length: maxCpus }, (_, cpu) => cpu),
      maskSize,
      kernelAbi,
    ),
  }
}

/** As the crashing CPU leaves it: its number and registers, and the CPUs that are online. */
export function crashedInfo(
  state: MachineState,
  config: FadumpConfig,
  cpu: number,
  registers: ReadonlyMap<string, bigint>,
): CrashInfo {
  const fresh = newCrashInfo(state, config)
  const online = state.cpus.filter((one) => one.online).map((one) => one.id)
  return {
    header: { ...fresh.header, crashingCpu: cpu },
    registers: writePtRegs(registers, state.kernel.ptRegsSize),
    cpuMask: writeCpuMask(online, fresh.header.cpuMaskSize, kernelAbi),
  }
}

export const crashInfoBytes = (info: CrashInfo): Uint8Array => writeCrashInfo(info, kernelAbi)

/** Where a byte of boot memory will be found after the crash; other memory stays where it is. */
export function relocate(regions: FadumpConfig['bootMemoryRegions'], address: number): number {
  const region = regions.find((one) => address >= one.address && address < one.address + one.size)
  return region === undefined ? address : address - region.address + region.copy
}
