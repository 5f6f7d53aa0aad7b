// Real kernels' tables. Judges: VMCOREINFO, in which the same kernels wrote dozens of their addresses,
// nm of the same vmlinux, and drgn, which named every return address by the symbol table of the vmlinux.

import { describe, expect, it } from 'vitest'
import { readKallsyms } from '../../../src/core/kernel/kallsyms.ts'
import { type Kernel, openKernel } from '../../../src/core/kernel/kernel.ts'
import type { SymbolTable } from '../../../src/core/kernel/symbols.ts'
import { openDump } from '../../../src/formats/index.ts'
import { expectedJson, expectedText, type FixtureCase, fixture } from '../../fixtures/index.ts'

const cases = [
  ['ppc64le-7.2-fadump', 'vmcore'],
  ['x86_64-7.2-small', 'vmcore'],
  ['arm64-7.2-debian', 'vmcore'],
  ['x86_64-6.1-debian', 'vmcore.kdump'],
] as const

function withKernel<T>(
  name: FixtureCase,
  file: string,
  use: (kernel: Kernel) => T,
  edit = (vmcoreinfo: string): string => vmcoreinfo,
): T {
  using dump = openDump(fixture(`${name}/${file}`))
  return use(openKernel({ ...dump, vmcoreinfo: edit(dump.vmcoreinfo ?? '') }))
}

const withoutKeys = (text: string): string => text.replace(/^SYMBOL\(kallsyms_.*\n/gm, '')

const listOf = (symbols: SymbolTable): string[] =>
  Array.from(
    symbols,
    ({ name, type, address }) => `${address.toString(16).padStart(16, '0')} ${type} ${name}`,
  )

/** Pointers, which VMCOREINFO gives as arrays. */
const exportedByValue: ReadonlySet<string> = new Set(['vmemmap', 'mem_section'])

interface DrgnTask {
  readonly stack?: readonly { readonly pc: string; readonly symbol: string | null }[]
}

describe.each(cases)('%s', (name, file) => {
  it('has the symbols of VMCOREINFO at the same addresses', () => {
    withKernel(name, file, (kernel) => {
      const symbols = readKallsyms(kernel)
      const checked = kernel.vmcoreinfo.keys().filter((key) => {
        const symbol = /^SYMBOL\((\w+)\)$/.exec(key)?.[1] ?? ''
        const [found] = symbols.find(symbol)
        if (found === undefined || exportedByValue.has(symbol)) return false
        expect(found.address, symbol).toBe(kernel.vmcoreinfo.symbol(symbol))
        return true
      })
      expect(checked.length).toBeGreaterThan(7)
    })
  })

  it('gives the same table to a search that is not told where it is', () => {
    const told = withKernel(name, file, (kernel) => listOf(readKallsyms(kernel)))
    const searched = withKernel(name, file, (kernel) => listOf(readKallsyms(kernel)), withoutKeys)
    expect(searched.length).toBeGreaterThan(40_000)
    expect(searched.join('\n') === told.join('\n')).toBe(true)
  })

  it('names the return addresses of all stacks as drgn does', () => {
    const { tasks } = expectedJson<{ tasks: DrgnTask[] }>(name, 'drgn.json')
    const symbols = withKernel(name, file, readKallsyms)
    const frames = tasks.flatMap(({ stack }) => stack?.slice(1) ?? [])
    const wrong = frames.filter(({ pc, symbol }) => {
      const place = symbols.nearest(BigInt(pc) - 1n)
      return symbol !== null && place?.symbol.name !== symbol
    })
    expect(frames.length).toBeGreaterThan(100)
    expect(new Set(wrong.map(({ symbol }) => symbol))).toEqual(new Set(labels[name]))
  })
})

/** What drgn names by the sized symbol around a label. */
const labels: Partial<Record<FixtureCase, readonly string[]>> = {
  'ppc64le-7.2-fadump': [],
  'x86_64-7.2-small': ['entry_SYSCALL_64'],
  'arm64-7.2-debian': [],
  'x86_64-6.1-debian': ['entry_SYSCALL_64'],
}

describe('ppc64le-7.2-fadump', () => {
  it('has each symbol that nm lists in its vmlinux', () => {
    const found = new Set(
      withKernel('ppc64le-7.2-fadump', 'vmcore', (kernel) => listOf(readKallsyms(kernel))),
    )
    const listed = expectedText('ppc64le-7.2-fadump', 'nm.txt').trim().split('\n')
    expect(listed.length).toBe(360)
    expect(listed.filter((line) => !found.has(line))).toEqual([])
  })
})
