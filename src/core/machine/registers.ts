// The CPUs of a new machine: those of a dump, or as they leave reset.

import type { Dump } from '../../formats/dump.ts'
import { findPrstatus } from '../../formats/elf/prstatus.ts'
import type { MachineCpu } from '../../formats/machine-image/state.ts'
import { hex } from '../address.ts'
import type { Arch } from '../arch/index.ts'

/** One CPU a note, numbered in their order. */
export const dumpCpus = (dump: Dump, arch: Arch): readonly MachineCpu[] =>
  findPrstatus(dump.notes, arch).map(({ registers }, id) => ({
    id,
    online: true,
    registers: Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, hex(value)])),
  }))

/** 64-bit mode, machine checks on, at the system reset vector. */
export const resetCpu = (id: number): MachineCpu => ({
  id,
  online: true,
  registers: { nip: '0x100', msr: '0x8000000000001000' },
})
