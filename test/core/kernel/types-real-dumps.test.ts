// Types and modules of real kernels. Judges: VMCOREINFO, for which the compiler that made the kernel
// computed offsets and sizes; drgn and crash, which read the lists of modules with debug information.

import { describe, expect, it } from 'vitest'
import { readKernelBtf } from '../../../src/core/kernel/btf.ts'
import { readModuleBtf, readModuleSymbols, readModules } from '../../../src/core/kernel/modules.ts'
import { findMember } from '../../../src/formats/btf/members.ts'
import { expectedJson, expectedText } from '../../fixtures/index.ts'
import { dumpFiles, openRealKernel } from '../../make/kernel-names.ts'
import { makeSymbolTable } from '../../make/symbol-table.ts'

describe.each(dumpFiles)('%s', (name, file) => {
  it('has the sizes and offsets that its compiler wrote into VMCOREINFO', () => {
    using real = openRealKernel(name, file)
    const { vmcoreinfo } = real.kernel
    const { btf } = real.types
    const ofType = (type: string) => btf.find(type, ['struct', 'union', 'typedef'])
    let checked = 0
    for (const key of vmcoreinfo.keys()) {
      const [, kind, what = ''] = /^(OFFSET|SIZE)\((.*)\)$/.exec(key) ?? []
      if (kind === undefined) continue
      const [type = '', ...members] = what.split('.')
      const found = ofType(type).map((id) =>
        kind === 'SIZE' ? btf.size(id) : Number(findMember(btf, id, members.join('.'))?.bit) / 8,
      )
      expect(found, key).toContain(kind === 'SIZE' ? vmcoreinfo.size(what) : vmcoreinfo.offset(what))
      checked++
    }
    expect(checked).toBeGreaterThan(30)
  })

  it('has the same types when no symbol tells where they are', () => {
    using real = openRealKernel(name, file)
    const found = readKernelBtf(real.kernel, makeSymbolTable([]))
    expect(found.end).toBe(real.types.btf.end)
    expect(found.find('task_struct', ['struct'])).toEqual(real.types.btf.find('task_struct', ['struct']))
  })

  it('has the modules that drgn lists, each with itself among its symbols', () => {
    using real = openRealKernel(name, file)
    const { modules } = expectedJson<{ modules: { name: string }[] }>(name, 'drgn.json')
    const found = readModules(real.kernel, real)
    expect(found.map((module) => module.name)).toEqual(modules.map((module) => module.name))
    for (const module of found) {
      const symbols = readModuleSymbols(real.kernel, real.types, module)
      expect(symbols.address('__this_module')).toBe(module.address)
      const types = readModuleBtf(real.kernel, real, module)
      expect(types?.start).toBe(real.types.btf.end)
      expect(types?.end).toBeGreaterThan(real.types.btf.end)
    }
  })
})

describe('x86_64-6.1-debian', () => {
  it('has the modules where crash found them, and their symbols inside', () => {
    using real = openRealKernel('x86_64-6.1-debian', 'vmcore.kdump')
    const lines = expectedText('x86_64-6.1-debian', 'crash.txt').matchAll(
      /^([0-9a-f]{16}) {2}(\w+) +([0-9a-f]{16}) +(\d+) {2}\(not loaded\)/gm,
    )
    const listed = [...lines].map(([, address, name, base, size]) => ({ name, address, base, size }))
    const found = readModules(real.kernel, real)
    expect(listed).toHaveLength(7)
    for (const { name, address, base, size } of listed) {
      const module = found.find((one) => one.name === name)
      expect(module?.address.toString(16)).toBe(address)
      const start = BigInt(`0x${base}`)
      const symbols = [...readModuleSymbols(real.kernel, real.types, module as (typeof found)[0])]
      const outside = symbols.filter(
        (s) => s.type !== 'a' && (s.address < start || s.address >= start + BigInt(size as string)),
      )
      expect(outside).toEqual([])
      expect(symbols.length).toBeGreaterThan(40)
    }
  })
})
