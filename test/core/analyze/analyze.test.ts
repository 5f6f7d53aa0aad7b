// Reports of real dumps against what crash, drgn, makedumpfile and the console said of the same crash.

import { describe, expect, it } from 'vitest'
import { analyzeDump } from '../../../src/core/analyze/index.ts'
import { isIncomplete, type Report } from '../../../src/core/analyze/report.ts'
import { openDump } from '../../../src/formats/index.ts'
import {
  type DrgnFacts,
  demoMachine,
  expectedJson,
  expectedText,
  type FixtureCase,
  fixture,
  fixtureText,
  makedumpfileCounts,
} from '../../fixtures/index.ts'

const cases = [
  ['ppc64le-7.2-fadump', 'vmcore'],
  ['x86_64-7.2-small', 'vmcore'],
  ['arm64-7.2-debian', 'vmcore'],
  ['x86_64-6.1-debian', 'vmcore.kdump'],
] as const

function reportOf(name: FixtureCase, file: string): Report {
  using dump = openDump(fixture(`${name}/${file}`))
  return analyzeDump(dump)
}

/** A line `LABEL: value` of what crash's `sys` printed. */
const crashSays = (name: FixtureCase, label: string): string | undefined =>
  new RegExp(`^ *${label}: (.*)$`, 'm').exec(expectedText(name, 'crash.txt'))?.[1]

describe.each(cases)('the report of %s', (name, file) => {
  const report = reportOf(name, file)
  const drgn = expectedJson<DrgnFacts>(name, 'drgn.json')

  it('names kernel, host and command line as drgn does', () => {
    expect(report.machine).toMatchObject({
      release: drgn.release,
      nodename: drgn.nodename,
      commandLine: { value: drgn.cmdline },
    })
  })

  it("has the console's last words, the requested crash as cause, and drgn's CPU", () => {
    const console = fixtureText(name, 'console.txt')
    const words = /(Kernel panic - not syncing: [^\r\n\]]*?)\r?\n/.exec(console)?.[1]
    expect(words).toBeDefined()
    expect(report.panic).toMatchObject({
      state: 'panic',
      message: words,
      cause: { class: 'sysrq', text: 'sysrq: Trigger a crash' },
      cpu: { value: drgn.panic_cpu },
      task: { pid: 1, comm: 'init' },
      taint: [],
      hadEarlierOops: false,
    })
    expect(report.cpus?.filter((cpu) => cpu.crashed).map((cpu) => cpu.cpu.value)).toEqual([drgn.panic_cpu])
  })

  it('has the call trace of the console', () => {
    const trace = report.panic?.callTrace ?? []
    expect(trace.length).toBeGreaterThan(10)
    for (const line of trace) expect(fixtureText(name, 'console.txt')).toContain(line)
  })

  it("has makedumpfile's counts of pages", () => {
    const { free, user, cache, cachePrivate } = makedumpfileCounts(name, 31)
    expect(report.memory?.kinds).toMatchObject({ free, user, cache, cachePrivate })
  })

  it('is complete, and its kernel addresses are proven', () => {
    expect(isIncomplete(report)).toBe(false)
    expect(report.dump?.translation).toMatchObject({ passed: true })
    expect(report.dump?.translation?.steps.map((step) => step.result)).toEqual(['passed', 'passed'])
    expect(report.diagnostics).toEqual([])
  })
})

describe('the report', () => {
  it.each([
    ['ppc64le-7.2-fadump', 'vmcore'],
    ['x86_64-7.2-small', 'vmcore'],
    ['x86_64-6.1-debian', 'vmcore.kdump'],
  ] as const)('%s: version, machine, uptime and last words as crash says', (name, file) => {
    const { machine, panic } = reportOf(name, file)
    expect(machine?.version).toBe(crashSays(name, 'VERSION'))
    expect(machine?.machine).toBe(crashSays(name, 'MACHINE')?.split(' ')[0])
    const [hours = 0, minutes = 0, seconds = 0] = (crashSays(name, 'UPTIME') ?? '').split(':').map(Number)
    expect(Math.floor(machine?.uptime?.value ?? 0)).toBe(hours * 3600 + minutes * 60 + seconds)
    expect(`"${panic?.message}"`).toBe(crashSays(name, 'PANIC'))
  })

  it('kdump: crash time as crash says, pages left out are known by their use', () => {
    const { machine, dump, memory } = reportOf('x86_64-6.1-debian', 'vmcore.kdump')
    const date = new Date((machine?.crashTime?.value ?? 0) * 1000)
    expect(crashSays('x86_64-6.1-debian', 'DATE')).toBe('Mon Nov 23 14:32:58 UTC 2026')
    expect(date.toUTCString()).toBe('Mon, 23 Nov 2026 14:32:58 GMT')
    expect(dump).toMatchObject({ format: 'kdump', dumpLevel: 31 })
    // bits set in the two bitmaps of the file, counted apart from any reader
    const [existing, stored] = [81_629, 16_687]
    const { total } = makedumpfileCounts('x86_64-6.1-debian', 31)
    expect(dump?.pages).toEqual({ total, stored, leftOut: existing - stored, holes: total - existing })
    expect(memory?.pages).toBe(existing)
  })

  it('fadump: CPU and crash time are exact, the reserved area is a hole', () => {
    const { panic, machine, dump } = reportOf('ppc64le-7.2-fadump', 'vmcore')
    expect(panic?.cpu).toEqual({ value: 1, source: 'fadump header', confidence: 'exact' })
    // the dump's folder: made on 23 November 2026 at 15:20 UTC
    expect(new Date((machine?.crashTime?.value ?? 0) * 1000).toISOString()).toMatch(/^2026-11-23T15:20/)
    expect(machine?.memory).toEqual({ value: 1280 * 2 ** 20, source: 'log' })
    // 15359 pages of 64 KiB were exported; the hole is 0x14000000 to 0x28010000
    expect(dump?.pages).toEqual({ total: 20480, stored: 15359, leftOut: 0, holes: 5121 })
  })

  it('QEMU: pages beyond RAM are in the dump but in no use', () => {
    const { dump, memory } = reportOf('x86_64-7.2-small', 'vmcore')
    const { original, hole } = makedumpfileCounts('x86_64-7.2-small', 31)
    expect(memory?.pages).toBe(original)
    expect(original + hole).toBe(32768)
    expect(dump?.pages?.stored).toBeGreaterThan(original)
    expect(dump?.notes).toEqual([
      { name: 'CORE', type: 1, count: 2 },
      { name: 'QEMU', type: 0, count: 2 },
      { name: 'VMCOREINFO', type: 0, count: 1 },
    ])
  })

  it('a machine that lives: no panic, VMCOREINFO from its memory, pages by use', () => {
    using dump = openDump(demoMachine)
    const report = analyzeDump(dump)
    expect(report.panic).toMatchObject({
      state: 'none',
      message: undefined,
      cause: undefined,
      cpu: undefined,
    })
    expect(report.dump?.vmcoreinfo?.source).toBe('memory')
    expect(report.dump?.translation?.passed).toBe(true)
    expect(report.machine?.crashTime).toBeUndefined()
    expect(report.diagnostics).toMatchObject([{ section: 'panic', kind: 'note' }])
    expect(isIncomplete(report)).toBe(false)
    // the CPU in the kernel is CPU 1 by its paca, and by QEMU's registers-at-snapshot.txt
    const snapshot = fixtureText('ppc64le-7.2-fadump', 'registers-at-snapshot.txt')
    for (const { cpu, programCounter } of report.cpus ?? []) {
      const shown = snapshot.split(/^CPU#/m).find((part) => part.startsWith(`${cpu.value}\n`))
      expect(shown).toContain(`NIP ${programCounter.slice(2)}`)
    }
  })

  it('has only the sections asked for', () => {
    using dump = openDump(fixture('x86_64-7.2-small/vmcore'))
    expect(Object.keys(analyzeDump(dump, { sections: ['log', 'machine'] }))).toEqual([
      'version',
      'machine',
      'log',
      'diagnostics',
    ])
  })
})
