// A dump opened as a kernel: VMCOREINFO, its architecture, and memory by virtual address. Views (log,
// tasks, page kinds) take a Kernel and return plain records.

import type { Dump } from '../../formats/dump.ts'
import { type Arch, archList, findArch } from '../arch/index.ts'
import { KernelError } from '../errors.ts'
import { VirtualMemory } from '../memory/virtual.ts'
import { Vmcoreinfo } from './vmcoreinfo.ts'

export interface Kernel {
  readonly dump: Dump
  readonly arch: Arch
  readonly vmcoreinfo: Vmcoreinfo
  readonly memory: VirtualMemory
  /** Bytes. */
  readonly pageSize: number
}

/** @throws {KernelError} when the architecture is unknown or the dump has no VMCOREINFO. */
export function openKernel(dump: Dump): Kernel {
  const arch = findArch(dump)
  if (arch === undefined) {
    const order = dump.abi.littleEndian ? 'little-endian' : 'big-endian'
    throw new KernelError(`${dump.name}: no support for ELF machine ${dump.elfMachine}, ${order}`, {
      hint: `known are ${archList.map(({ name }) => name).join(', ')}`,
    })
  }
  if (dump.vmcoreinfo === undefined) {
    throw new KernelError(`${dump.name}: the dump has no VMCOREINFO`, {
      hint: 'a QEMU guest needs -device vmcoreinfo; such a dump can be copied at -d 0 or -d 1',
    })
  }
  const vmcoreinfo = new Vmcoreinfo(dump.vmcoreinfo)
  const pageSize = vmcoreinfo.pageSize ?? dump.pageSize
  if (pageSize === undefined) throw new KernelError(`${dump.name}: VMCOREINFO has no PAGESIZE`)
  const translation = arch.openTranslation({
    facts: vmcoreinfo,
    memory: dump.memory,
    pageSize,
    segments: dump.segments,
  })
  const memory = new VirtualMemory(dump.memory, translation, {
    pageSize,
    littleEndian: arch.abi.littleEndian,
  })
  return { dump, arch, vmcoreinfo, memory, pageSize }
}
