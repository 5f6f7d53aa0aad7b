import { copyFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { demoMachine, fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump } from './program.ts'

const vmcore = fixture('x86_64-7.2-small/vmcore')

describe('fadump analyze', () => {
  it('prints the report, with the log last', () => {
    const { exitCode, out, err } = fadump(['analyze', vmcore])
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out.split('\n').slice(0, 2)).toEqual([
      'Linux 7.2.13-fixture (x86_64) on fixture, 3.5 s after boot',
      'Kernel panic - not syncing: sysrq triggered crash',
    ])
    expect(out.trimEnd().split('\n').at(-1)).toBe(
      '[    3.475349] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---',
    )
  })

  it.each([
    ['--json', vmcore],
    [vmcore, '--format', 'json'],
  ])('prints JSON: %s %s', (...args) => {
    const { exitCode, out } = fadump(['analyze', ...args])
    expect(exitCode).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ version: 1, machine: { release: '7.2.13-fixture' } })
  })

  it('prints the sections asked for, in the order of the report', () => {
    const { out } = fadump(['analyze', '--section', 'log', vmcore, '--section', 'machine'])
    expect(out).toMatch(/^Linux.*\nMachine and kernel\n.*\nKernel log\n/s)
    expect(out).not.toContain('What happened')
  })

  it('exits with 6 when the dump is cut short, and says so', () => {
    const copy = join(makeFolder(), 'vmcore')
    copyFileSync(vmcore, copy)
    truncateSync(copy, 64 * 2 ** 20)
    const { exitCode, out, err } = fadump(['analyze', copy])
    expect(exitCode).toBe(6)
    expect(out).toContain('What could not be read')
    expect(err).toBe('warning: the report is incomplete; it says what could not be read\n')
  })

  it('reports on a machine whose capture kernel runs, as on any vmcore', () => {
    const machine = join(makeFolder(), 'machine.img')
    const steps = [
      ['create', machine, '--from', demoMachine],
      ['register', machine],
      ['trigger', machine, '--cpu', '1', '--reason', 'out of cheese'],
      ['boot-capture', machine],
    ]
    for (const step of steps) expect(fadump(step), step.join(' ')).toMatchObject({ exitCode: 0 })
    const { exitCode, out } = fadump(['analyze', '--json', machine])
    expect(exitCode).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      panic: {
        state: 'panic',
        message: 'Kernel panic - not syncing: out of cheese',
        cause: { class: 'explicit' },
        cpu: { value: 1, source: 'fadump header', confidence: 'exact' },
      },
      cpus: [
        { cpu: { value: 0 }, crashed: false },
        { cpu: { value: 1 }, crashed: true },
      ],
      dump: { container: 'machine', isIncomplete: false },
      diagnostics: [],
    })
  })

  it.each([
    [['analyze'], 2],
    [['analyze', '--section', 'nothing', vmcore], 2],
    [['analyze', '--format', 'yaml', vmcore], 2],
    [['analyze', 'no-such-file'], 3],
    [['analyze', import.meta.filename], 3],
  ])('%j exits with %d', (args, code) => {
    const { exitCode, out, err } = fadump(args)
    expect({ exitCode, out }).toEqual({ exitCode: code, out: '' })
    expect(err).toMatch(/^error: /)
  })
})
