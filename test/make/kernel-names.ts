// Symbols and types of a real dump's kernel, read once a file of tests needs them.

import { readKernelBtf } from '../../src/core/kernel/btf.ts'
import { readKallsyms } from '../../src/core/kernel/kallsyms.ts'
import { type Kernel, openKernel } from '../../src/core/kernel/kernel.ts'
import type { KernelNames } from '../../src/core/kernel/modules.ts'
import { KernelTypes } from '../../src/core/kernel/types.ts'
import { openDump } from '../../src/formats/index.ts'
import { type FixtureCase, fixture } from '../fixtures/index.ts'

export const dumpFiles: readonly (readonly [FixtureCase, string])[] = [
  ['ppc64le-7.2-fadump', 'vmcore'],
  ['x86_64-7.2-small', 'vmcore'],
  ['arm64-7.2-debian', 'vmcore'],
  ['x86_64-6.1-debian', 'vmcore.kdump'],
]

export interface RealKernel extends KernelNames, Disposable {
  readonly kernel: Kernel
}

export function openRealKernel(name: FixtureCase, file: string): RealKernel {
  const dump = openDump(fixture(`${name}/${file}`))
  const kernel = openKernel(dump)
  const symbols = readKallsyms(kernel)
  const types = new KernelTypes(readKernelBtf(kernel, symbols))
  return { kernel, symbols, types, [Symbol.dispose]: () => dump[Symbol.dispose]() }
}
