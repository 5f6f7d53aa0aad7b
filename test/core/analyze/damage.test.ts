// Dumps that lack something: what is left is told, and what is not, with the reason.

import { describe, expect, it } from 'vitest'
import { analyzeDump } from '../../../src/core/analyze/index.ts'
import { isIncomplete, type Report } from '../../../src/core/analyze/report.ts'
import { Bitmap } from '../../../src/core/bitmap.ts'
import { BufferSource, type ByteSource, FileSource } from '../../../src/core/byte-source.ts'
import { FaultError } from '../../../src/core/errors.ts'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import { overlaps } from '../../../src/core/ranges.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { openDump, openSource } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { makeElfCore, makePrstatus, makeVmcoreinfo } from '../../make/elf-core.ts'

const smallPath = fixture('x86_64-7.2-small/vmcore')

/** The first `size` bytes of a file. */
function cutSource(path: string, size: number): ByteSource {
  const whole = new FileSource(path)
  return {
    name: 'cut',
    size,
    read: (offset, into) =>
      whole.read(offset, into.subarray(0, Math.max(0, Math.min(into.length, size - offset)))),
    [Symbol.dispose]: () => whole[Symbol.dispose](),
  }
}

/** The dump without `length` bytes from the physical address of a kernel symbol. */
function without(dump: Dump, address: bigint, length: number): Dump {
  const start = openKernel(dump).memory.translate(address) ?? 0
  const gap = { start, end: start + length }
  const { memory } = dump
  return {
    ...dump,
    memory: {
      ...memory,
      read(at, into) {
        if (overlaps(gap, { start: at, end: at + into.length }))
          throw new FaultError('physical', at, into.length, 'excluded')
        memory.read(at, into)
      },
    },
    [Symbol.dispose]: () => dump[Symbol.dispose](),
  }
}

const reasons = (report: Report): string =>
  report.diagnostics.map((d) => `${d.section}: ${d.message}`).join('\n')

describe('a dump that lacks something', () => {
  it('is whole when its machine image has one damaged state slot: a remark, no incomplete report', () => {
    using whole = openDump(smallPath)
    const warning = { code: 'SLOT_DAMAGED', message: 'state slot 0 is wrong; using the other state slot' }
    const report = analyzeDump({ ...whole, warnings: [warning] })
    expect(report.diagnostics).toContainEqual({
      section: undefined,
      kind: 'note',
      hint: undefined,
      ...warning,
    })
    expect(report.dump).toMatchObject({ isIncomplete: false })
    expect(isIncomplete(report)).toBe(false)
  })

  it('without VMCOREINFO: registers and the dump itself, nothing of the kernel', () => {
    const bytes = makeElfCore({
      segments: [{ physical: 0, data: new Uint8Array(8192) }],
      noteAreas: [makePrstatus(336), makePrstatus(336)],
    })
    const report = analyzeDump(openSource(new BufferSource(bytes)))
    expect(report).toMatchObject({
      panic: null,
      memory: null,
      log: null,
      cpus: [{}, {}],
      dump: { format: 'elf' },
    })
    expect(report.machine).toMatchObject({ memory: { value: 8192, source: 'dump' } })
    expect(isIncomplete(report)).toBe(true)
    expect(reasons(report)).toContain('log: buffer: the dump has no VMCOREINFO')
  })

  it('of an unknown machine: only what the file says', () => {
    const bytes = makeElfCore({ machine: 22, segments: [{ physical: 0, data: new Uint8Array(4096) }] })
    const report = analyzeDump(openSource(new BufferSource(bytes)))
    expect(report).toMatchObject({ cpus: null, dump: { elfMachine: 22, arch: undefined } })
    expect(reasons(report)).toContain('no support for ELF machine 22')
  })

  it('with VMCOREINFO of a kernel that is not in it: kernel addresses are not trusted', () => {
    const text = `OSRELEASE=6.1.0
PAGESIZE=4096
SYMBOL(swapper_pg_dir)=ffffffff80001000
SYMBOL(init_uts_ns)=ffffffff80001000
OFFSET(uts_namespace.name)=0
NUMBER(phys_base)=0
CRASHTIME=1795447228
`
    const bytes = makeElfCore({
      segments: [{ physical: 0, data: new Uint8Array(16384) }],
      noteAreas: [makePrstatus(336), makeVmcoreinfo(text)],
    })
    const report = analyzeDump(openSource(new BufferSource(bytes)))
    expect(report.dump?.translation?.passed).toBe(false)
    expect(report.machine?.crashTime).toEqual({ value: 1795447228, source: 'VMCOREINFO' })
    expect(reasons(report)).toContain('kernel addresses cannot be trusted')
  })

  it('whose log lost its text: the rest of the report is there', () => {
    using dump = openDump(smallPath)
    const { memory, vmcoreinfo } = openKernel(dump)
    const ring = memory.u64(vmcoreinfo.symbol('prb') ?? 0n)
    const text = memory.u64(ring + 48n + 8n)
    const report = analyzeDump(without(dump, text, 3 * 4096))
    expect(report.log?.unreadable).toBeGreaterThan(10)
    expect(report.log?.records.length).toBeGreaterThan(100)
    expect(report.panic?.message).toContain('sysrq triggered crash')
    expect(report.machine?.commandLine).toBeUndefined()
    expect(isIncomplete(report)).toBe(true)
    expect(reasons(report)).toMatch(
      /log: the log is partial: \d+ records unreadable; text of the log: \d+ bytes/,
    )
  })

  it('whose log is gone: machine, CPUs and memory are still told', () => {
    using dump = openDump(smallPath)
    const { vmcoreinfo } = openKernel(dump)
    const report = analyzeDump(without(dump, vmcoreinfo.symbol('prb') ?? 0n, 8))
    expect(report).toMatchObject({ log: null, panic: null, cpus: [{}, {}], machine: { nodename: 'fixture' } })
    expect(report.memory?.kinds?.free).toBe(13376)
  })

  it('of more than 64 GiB: its pages are not looked at unless that is asked for', () => {
    using dump = openDump(smallPath)
    const ranges = [{ start: 0, end: 2 ** 37 }]
    const memory = { ...dump.memory, ranges, storedPages: (size: number) => new Bitmap(2 ** 37 / size) }
    const big: Dump = { ...dump, memory, [Symbol.dispose]: () => {} }
    const unasked = analyzeDump(big)
    expect(unasked.memory).toEqual({ pageSize: 4096, pages: 2 ** 25, kinds: undefined })
    expect(isIncomplete(unasked)).toBe(false)
    expect(reasons(unasked)).toContain(
      'memory: looking at 33,554,432 pages takes long: `--section memory` does it',
    )
    expect(analyzeDump(big, { sections: ['memory'] }).memory?.kinds?.free).toBe(13376)
  })

  it('is told of at every length of the file, and fast', { timeout: 60_000 }, () => {
    const { size } = new FileSource(smallPath)
    for (const share of [0.0001, 0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.9999]) {
      using dump = openSource(cutSource(smallPath, Math.floor(size * share)))
      const report = analyzeDump(dump)
      expect(isIncomplete(report), `${share}`).toBe(true)
      const { missing } = report.dump ?? {}
      expect(report.dump).toMatchObject({ isIncomplete: true, missing: { size: expect.any(Number) } })
      // The last byte of the file is that of the last segment: firmware just below 4 GiB.
      expect(missing?.ranges.at(-1)).toMatchObject({ end: '0x100000000', reason: 'cut short' })
      expect(reasons(report)).toContain('cut short')
    }
  })
})
