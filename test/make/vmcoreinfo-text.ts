// What -g would write for the kernel of a dump, had we its vmlinux: symbols and types are taken from the
// dump's memory, and the addresses back to where they were linked.

import { readKernelBtf } from '../../src/core/kernel/btf.ts'
import { readKallsyms } from '../../src/core/kernel/kallsyms.ts'
import type { Kernel } from '../../src/core/kernel/kernel.ts'
import { makeVmcoreinfo } from '../../src/core/kernel/make-vmcoreinfo.ts'
import { KernelTypes } from '../../src/core/kernel/types.ts'

export function vmcoreinfoText(kernel: Kernel): string {
  const { vmcoreinfo, pageSize } = kernel
  const symbols = readKallsyms(kernel)
  const types = new KernelTypes(readKernelBtf(kernel, symbols))
  const linked = (name: string) =>
    symbols.find(name).map((symbol) => ({ ...symbol, address: symbol.address - vmcoreinfo.kernelOffset }))
  return makeVmcoreinfo({ release: vmcoreinfo.release ?? '', pageSize, symbols: { find: linked }, types })
}
