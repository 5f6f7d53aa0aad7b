// Real kernels judge the translation: their own name must stand where their symbols say, and the
// rules for image and direct map must agree with their page tables.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KernelError } from '../../../src/core/errors.ts'
import { type Kernel, openKernel } from '../../../src/core/kernel/kernel.ts'
import { checkTranslation } from '../../../src/core/kernel/translation-check.ts'
import { readUtsname } from '../../../src/core/kernel/uts.ts'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'
import { openDump } from '../../../src/formats/index.ts'
import { type DrgnFacts, expectedJson, type FixtureCase, fixture } from '../../fixtures/index.ts'

const dumps = [
  { name: 'ppc64le-7.2-fadump', file: 'vmcore', machine: 'ppc64le', arch: 'ppc64le' },
  { name: 'x86_64-7.2-small', file: 'vmcore', machine: 'x86_64', arch: 'x86_64' },
  { name: 'arm64-7.2-debian', file: 'vmcore', machine: 'aarch64', arch: 'arm64' },
  { name: 'x86_64-6.1-debian', file: 'vmcore.kdump', machine: 'x86_64', arch: 'x86_64' },
] as const

const openFixture = (name: FixtureCase, file: string): Kernel =>
  openKernel(openDump(fixture(`${name}/${file}`)))

describe.each(dumps)('$name', ({ name, file, machine, arch }) => {
  it('is opened as a kernel of its architecture', () => {
    using dump = openDump(fixture(`${name}/${file}`))
    expect(openKernel(dump).arch.name).toBe(arch)
  })

  it('has the name that drgn read', () => {
    const kernel = openFixture(name, file)
    using _ = kernel.dump
    const drgn = expectedJson<DrgnFacts>(name, 'drgn.json')
    expect(readUtsname(kernel)).toMatchObject({
      sysname: 'Linux',
      release: drgn.release,
      nodename: drgn.nodename,
      machine,
      domainname: '(none)',
    })
  })

  it('passes both steps of the self-test', () => {
    const kernel = openFixture(name, file)
    using _ = kernel.dump
    const check = checkTranslation(kernel)
    expect(check.steps.map((step) => step.result)).toEqual(['passed', 'passed'])
    expect(check.passed).toBe(true)
  })

  it('has every address of the direct map where its page tables have it', () => {
    const kernel = openFixture(name, file)
    using _ = kernel.dump
    const { memory } = kernel
    // mem_section is an array that the kernel took from the direct map.
    const known = kernel.vmcoreinfo.symbol('mem_section') as bigint
    const base = known - BigInt(memory.walk(known) as number)
    const ram = memory.physical.ranges.filter((range) => range.start < 0xf0000000)
    const address = fc
      .constantFrom(...ram)
      .chain((range) => fc.integer({ min: range.start, max: range.end - 1 }))
    let walked = 0
    fc.assert(
      fc.property(address, (physical) => {
        const virtual = base + BigInt(physical)
        expect(memory.translate(virtual)).toBe(physical)
        // Tables of firmware's own at the end of x86 RAM are in no page table.
        expect(memory.walk(virtual) ?? physical).toBe(physical)
        walked += memory.walk(virtual) === undefined ? 0 : 1
      }),
      { numRuns: 1200 },
    )
    expect(walked).toBeGreaterThan(1000)
  })
})

describe('checkTranslation', () => {
  const open = () => openFixture('x86_64-7.2-small', 'vmcore')

  it('fails when VMCOREINFO belongs to another kernel', () => {
    const kernel = open()
    using _ = kernel.dump
    const text = kernel.vmcoreinfo.text.replace('OSRELEASE=7.2.13-fixture', 'OSRELEASE=7.2.14')
    const check = checkTranslation({ ...kernel, vmcoreinfo: new Vmcoreinfo(text) })
    expect(check).toMatchObject({
      passed: false,
      steps: [{ result: 'failed', found: 'Linux 7.2.13-fixture' }, { result: 'passed' }],
    })
  })

  it('says what is missing instead of throwing', () => {
    const kernel = open()
    using _ = kernel.dump
    const check = checkTranslation({ ...kernel, vmcoreinfo: new Vmcoreinfo('PAGESIZE=4096\n') })
    expect(check.passed).toBe(false)
    expect(check.steps.map((step) => step.result)).toEqual(['failed', 'unknown'])
    expect(check.steps[0]?.found).toMatch(/init_uts_ns/)
    expect(() => readUtsname({ ...kernel, vmcoreinfo: new Vmcoreinfo('') })).toThrow(KernelError)
  })

  it('fails when the page tables say something else than the rule of the image', () => {
    const { vmcoreinfo, dump } = open()
    using _ = dump
    const shifted = vmcoreinfo.text.replace('NUMBER(phys_base)=-385875968', 'NUMBER(phys_base)=-383778816')
    const check = checkTranslation(openKernel({ ...dump, vmcoreinfo: shifted }))
    expect(check.passed).toBe(false)
  })
})
