// Where a kernel keeps what never changes: its symbol table and its types. Every dump level keeps it.

import { hex, MiB, type VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'
import type { Vmcoreinfo } from './vmcoreinfo.ts'

/** Code, constants and data of a kernel take 30 to 100 MiB. */
const maxImage = 512 * MiB

/** Between the kernel's code and its data. @throws {KernelError} */
export function readOnlyData(vmcoreinfo: Vmcoreinfo): { readonly start: VirtAddr; readonly end: VirtAddr } {
  const start = vmcoreinfo.symbol('_stext')
  if (start === undefined) {
    throw new KernelError('VMCOREINFO has no SYMBOL(_stext), so the kernel symbol table cannot be found')
  }
  const sizes = ['init_uts_ns', 'swapper_pg_dir', 'node_online_map', 'prb', 'log_buf']
    .map((name) => Number((vmcoreinfo.symbol(name) ?? start) - start))
    .filter((size) => size > 0 && size < maxImage)
  if (sizes.length > 0) return { start, end: start + BigInt(Math.max(...sizes)) }
  throw new KernelError(`VMCOREINFO has no symbol of data behind _stext (${hex(start)})`)
}
