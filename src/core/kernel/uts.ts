// The kernel's own name: struct new_utsname in init_uts_ns, six strings of 65 bytes. Dump headers carry
// it, and it proves that a translation finds the kernel. Source: include/uapi/linux/utsname.h.

import type { Utsname } from '../../formats/dump.ts'
import { utsname } from '../../formats/kdump/layout.ts'
import type { Kernel } from './kernel.ts'
import { required } from './vmcoreinfo.ts'

/** OFFSET(uts_namespace.name) of kernels that do not state it: after a reference count. */
const oldNameOffset = 4

/** @throws {KernelError | FaultError} when the symbol or the page is missing. */
export function readUtsname({ vmcoreinfo, memory, arch, dump }: Kernel): Utsname {
  const namespace = required(vmcoreinfo.symbol('init_uts_ns'), 'SYMBOL(init_uts_ns)')
  const address = namespace + BigInt(vmcoreinfo.offset('uts_namespace.name') ?? oldNameOffset)
  const bytes = memory.bytes(address, utsname.layout(arch.abi).size)
  return utsname.parse(bytes, arch.abi, { file: dump.name, what: 'init_uts_ns' })
}
