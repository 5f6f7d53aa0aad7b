// The kernel's own name: struct new_utsname in init_uts_ns, six strings of 65 bytes. Dump headers carry
// it, and it proves that a translation finds the kernel. Source: include/uapi/linux/utsname.h.

import type { Utsname } from '../../formats/dump.ts'
import { chars, struct } from '../struct.ts'
import type { Kernel } from './kernel.ts'
import { required } from './vmcoreinfo.ts'

export const newUtsname = struct('new_utsname', {
  sysname: chars(65, 'Linux'),
  nodename: chars(65, 'host name'),
  release: chars(65, 'as uname -r prints it'),
  version: chars(65, 'build number and date'),
  machine: chars(65, 'as uname -m prints it'),
  domainname: chars(65, 'NIS domain'),
})

/** OFFSET(uts_namespace.name) of kernels that do not state it: after a reference count. */
const oldNameOffset = 4

/** @throws {KernelError | FaultError} when the symbol or the page is missing. */
export function readUtsname({ vmcoreinfo, memory, arch, dump }: Kernel): Utsname {
  const namespace = required(vmcoreinfo.symbol('init_uts_ns'), 'SYMBOL(init_uts_ns)')
  const address = namespace + BigInt(vmcoreinfo.offset('uts_namespace.name') ?? oldNameOffset)
  const bytes = memory.bytes(address, newUtsname.layout(arch.abi).size)
  return newUtsname.parse(bytes, arch.abi, { file: dump.name, what: 'init_uts_ns' })
}
