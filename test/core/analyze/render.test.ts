import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { analyzeDump } from '../../../src/core/analyze/index.ts'
import { rendererList } from '../../../src/core/analyze/render/index.ts'
import { renderJson } from '../../../src/core/analyze/render/json.ts'
import { plain, type Style } from '../../../src/core/analyze/render/page.ts'
import { renderText } from '../../../src/core/analyze/render/text/index.ts'
import type { Report } from '../../../src/core/analyze/report.ts'
import { sectionNames } from '../../../src/core/analyze/sections/index.ts'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { causeNames } from '../../../src/core/kernel/cause-table.ts'
import { openDump, openSource } from '../../../src/formats/index.ts'
import { type FixtureCase, fixture } from '../../fixtures/index.ts'
import { makeElfCore } from '../../make/elf-core.ts'

const schema = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../docs/schema/report.schema.json'), 'utf8'),
)

/** Without the path, which differs from machine to machine. */
function reportOf(name: FixtureCase): Report {
  using dump = openDump(fixture(`${name}/vmcore`))
  const report = analyzeDump(dump)
  return report.dump ? { ...report, dump: { ...report.dump, file: 'vmcore' } } : report
}

const small = reportOf('x86_64-7.2-small')
const fadump = reportOf('ppc64le-7.2-fadump')
const tiny = makeElfCore({ machine: 22, segments: [{ physical: 0x10000, data: new Uint8Array(4096) }] })
const empty = analyzeDump(openSource(new BufferSource(tiny)))
const cut = analyzeDump(openSource(new BufferSource(tiny.subarray(0, tiny.length - 256))))
const page = { columns: 100, style: plain }

describe('the report as JSON', () => {
  const validate = new Ajv2020({ allErrors: true }).compile(schema)

  it.each([
    ['a fadump vmcore', fadump],
    ['a QEMU dump', small],
    ['nearly nothing', empty],
    ['a dump that is cut', cut],
  ])('follows its schema: %s', (_, report) => {
    const value = JSON.parse(renderJson(report))
    expect(validate(value), JSON.stringify(validate.errors, null, 2)).toBe(true)
    expect(value).toEqual(JSON.parse(JSON.stringify(report)))
  })

  it('has a schema that knows every section and every class of cause', () => {
    for (const name of sectionNames) expect(schema.properties).toHaveProperty(name)
    expect(schema.$defs.event.properties.class.enum).toEqual(Object.keys(causeNames))
  })

  it('is safe to print, and keeps the escape sequence of the log', () => {
    const text = renderJson(small)
    expect(text).not.toContain('\x1b')
    const records: { text: string }[] = JSON.parse(text).log.records
    expect(records.some((record) => record.text.includes('fixture: about to crash \x1b[31mred\x1b[0m'))).toBe(
      true,
    )
  })
})

describe('the report as text', () => {
  it('reads from what died to the log', async () => {
    await expect(`${renderText(fadump, page)}\n`).toMatchFileSnapshot('expected/ppc64le-7.2-fadump.txt')
  })

  it('says why there is no answer', () => {
    expect(`\n${renderText(empty, page)}\n`).toMatchInlineSnapshot(`
      "
      Linux of unknown release

      What happened
        cannot be told: buffer: no support for ELF machine 22, little-endian

      Machine and kernel
        memory  4 KiB (dump)

      CPUs
        cannot be told: buffer: no support for ELF machine 22, little-endian

      Memory
        cannot be told: buffer: no support for ELF machine 22, little-endian

      The dump
        file          buffer
        format        elf, 4.1 KiB
        architecture  unknown, ELF machine 22
        state         whole
        notes         none
        VMCOREINFO    none

      What could not be read
        missing: buffer: no support for ELF machine 22, little-endian; known are x86_64, ppc64le, ppc64, arm64,
          s390x, riscv64
        missing: the names of host and kernel (init_uts_ns) cannot be read
        note: the dump does not say how large its pages are

      Kernel log
        cannot be told: buffer: no support for ELF machine 22, little-endian
      "
    `)
  })

  it('escapes what the guest wrote', () => {
    const text = renderText(small, page)
    expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f]/)
    expect(text).toContain('fixture: about to crash \\x1b[31mred\\x1b[0m')
  })

  it('escapes every string, wherever it stands', () => {
    const evil = 'a\x1b[2Jb\u202ec\x9bd\re'
    const hostile = JSON.parse(JSON.stringify(small), (key, value) =>
      typeof value === 'string' &&
      !key.match(/^(class|kind|format|container|section|confidence|mode|weight|state|result)$/)
        ? evil
        : value,
    )
    // register names and values are ours
    hostile.cpus = small.cpus
    hostile.panic.instruction = hostile.machine.domainname = evil
    hostile.panic.modules = [evil]
    hostile.diagnostics = [{ kind: 'note', message: evil, hint: evil }]
    const text = renderText(hostile, page)
    expect(text).toContain('\\x1b[2J')
    expect(text).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/)
  })

  it.each([40, 80, 132])(
    'fits %d columns, but for the log, call traces and words that are longer',
    (columns) => {
      const text = renderText({ ...fadump, log: undefined } as Report, { columns, style: plain })
      const tooLong = text.split('\n').filter((line) => line.length > columns)
      for (const line of tooLong) {
        expect(
          /^ {4}\[|^(Linux|Kernel panic)|, in (user|kernel) mode at|^ +\w+( \w+)? +\S+$|^ {2,}\S+$/.test(
            line,
          ),
          line,
        ).toBe(true)
      }
    },
  )

  it('says the same with colours', () => {
    const mark = (text: string): string => (text === '' ? '' : `\x1b[1m${text}\x1b[0m`)
    const style: Style = { bold: mark, dim: mark, red: mark, yellow: mark, cyan: mark }
    const text = renderText(small, { columns: 100, style })
    expect(text).toContain('\x1b[1mWhat happened\x1b[0m')
    expect(text.replaceAll('\x1b[1m', '').replaceAll('\x1b[0m', '')).toBe(renderText(small, page))
  })

  it('has a renderer by every name', () => {
    expect(rendererList.map(({ name }) => name)).toEqual(['text', 'json'])
  })
})

it('a cut dump is shown with the memory it lacks', () => {
  expect(cut.dump?.missing).toEqual({
    size: 256,
    ranges: [{ start: '0x10f00', end: '0x11000', reason: 'cut short' }],
  })
  expect(renderText(cut, page)).toMatch(/missing +256 B: 0x10f00-0x11000 cut short/)
})
