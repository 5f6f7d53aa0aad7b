// A machine's life as its user sees it, and what is said when the order is wrong.

import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fadump } from './program.ts'

const folder = mkdtempSync(join(tmpdir(), 'fadump-life-'))
const run = (...args: readonly string[]) => fadump(args, { cwd: folder })

function blank(name: string, commandLine = 'fadump=on crashkernel=320M', memory = ['1280M']): void {
  const options = ['--cpus', '2', '--cmdline', commandLine, '--memory', ...memory]
  expect(run('create', name, '-q', '-f', ...options).exitCode).toBe(0)
}

beforeAll(() => blank('machine'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a machine', () => {
  it('registers', () => {
    const { exitCode, out } = run('register', 'machine', '--bootargs-append', 'nr_cpus=1')
    expect(exitCode).toBe(0)
    expect(out).toMatchInlineSnapshot(`
      "machine     machine is registered
      reserved    0x14000000-0x280102a8, 335,610,536 bytes
      crash info  0x28010000
      request     0x13ff0000
      appended    nr_cpus=1 (at 0x4ffff800)

      to be saved            from          to     size
      CPU state          firmware  0x14000000  2.5 KiB
      hash page table    firmware  0x14000a00      0 B
      boot memory             0x0  0x14010000  320 MiB
      parameters       0x4ffff800  0x4ffff800    2 KiB

        fadump: Reserved 320MB of memory at 0x00000014000000 (System RAM: 1280MB)
        fadump: Initialized [0x14000000, 320MB] cma area from [0x14000000, 320MB] bytes of memory reserved for firmware-assisted dump
        rtas fadump: Registration is successful!
      "
    `)
  })

  it('registers anew, and tells a program in JSON', () => {
    const { exitCode, out } = run('register', 'machine', '--json')
    expect(exitCode).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      machine: 'machine',
      registered: true,
      reserved: { start: '0x14000000', size: 0x14010000 + 680 },
      bootargsAppend: 'nr_cpus=1',
      regions: [{ name: 'CPU state', size: 2560 }, {}, { source: '0x0', size: 0x14000000 }, {}],
      messages: ['rtas fadump: Registration is successful!'],
    })
  })

  it('unregisters once, and has nothing to do the second time', () => {
    expect(run('register', 'machine', '--unregister').out).toBe('machine is not registered any more\n')
    const again = run('register', 'machine', '--unregister')
    expect(again).toEqual({ exitCode: 0, out: 'machine is not registered; nothing to do\n', err: '' })
    expect(run('register', 'machine').exitCode).toBe(0)
  })

  it('crashes', () => {
    const { exitCode, out, err } = run('trigger', 'machine', '--cpu', '1', '--reason', 'test \x1b[31m')
    expect({ exitCode, err }).toEqual({
      exitCode: 0,
      err: 'warning: memory holds no VMCOREINFO note; the dump has none\n',
    })
    expect(out).toMatchInlineSnapshot(`
      "machine crashed on CPU 1: test \\x1b[31m

      saved                  from          to                       bytes  result
      CPU state          firmware  0x14000000              2,560 of 2,560  ok
      hash page table    firmware  0x14000a00                      0 of 0  ok
      boot memory             0x0  0x14010000  335,544,320 of 335,544,320  ok
      parameters       0x4ffff800  0x4ffff800              2,048 of 2,048  kept in place

        Kernel panic - not syncing: test \\x1b[31m
        OS panic: test \\x1b[31m
      "
    `)
  })

  it('crashes only once', () => {
    const { exitCode, out } = run('trigger', 'machine')
    expect(exitCode).toBe(0)
    expect(out).toContain('That was before: there was nothing to do. fadump boot-capture comes next.')
  })

  it('shows its ELF core header before it boots', () => {
    const { exitCode, out } = run('gen-elfcorehdr', 'machine', '--explain', '-o', 'header')
    expect(exitCode).toBe(0)
    expect(out).toMatchInlineSnapshot(`
      "ELF core header of machine, 64 KiB at 0x13ff0000

      #  type   read from    physical  virtual                   bytes
      0  NOTE  0x13fe0000  0x13fe0000  0x0                      65,536
      1  NOTE         0x0         0x0  0x0                           0
      2  LOAD  0x14010000         0x0  0xc000000000000000  335,544,320
      3  LOAD  0x280102a8  0x280102a8  0xc0000000280102a8  671,022,424

      0  NOTE  registers: one note for each CPU that was online, the crashing one as it saved itself
      1  NOTE  VMCOREINFO: the crashed kernel had none
      2  LOAD  boot memory: the capture kernel runs there, so it is read from firmware's copy at 0x14010000
      3  LOAD  above boot memory: preserved where it is; the dump area 0x14000000-0x280102a7 is left out
      "
    `)
    const header = readFileSync(join(folder, 'header'))
    expect(header.length).toBe(64 + 4 * 56)
    expect(header.readUInt16LE(56)).toBe(4)
    expect(run('gen-elfcorehdr', 'machine', '-o', 'header').exitCode).toBe(5)
  })

  it('does not boot when the file for its vmcore exists already', () => {
    writeFileSync(join(folder, 'taken'), 'mine')
    const { exitCode, err } = run('boot-capture', 'machine', '--vmcore', 'taken')
    expect(exitCode).toBe(5)
    expect(err).toContain('exists already')
    expect(JSON.parse(run('status', 'machine', '--json').out).stage).toBe('crashed')
    expect(readFileSync(join(folder, 'taken'), 'utf8')).toBe('mine')
  })

  it('boots its capture kernel and exports what /proc/vmcore reads', () => {
    const { exitCode, out } = run('boot-capture', 'machine', '--vmcore', 'vmcore', '-q')
    expect(exitCode).toBe(0)
    expect(out).toMatchInlineSnapshot(`
      "machine       machine runs its capture kernel; it can be filtered, saved and analyzed
      command line  fadump=on crashkernel=320M nr_cpus=1
      ELF header    at 0x13ff0000, CPU notes at 0x13fe0000
      vmcore        1,006,698,496 bytes, copied to vmcore

      #  type   read from    physical  virtual                   bytes
      0  NOTE  0x13fe0000  0x13fe0000  0x0                      65,536
      1  NOTE         0x0         0x0  0x0                           0
      2  LOAD  0x14010000         0x0  0xc000000000000000  335,544,320
      3  LOAD  0x280102a8  0x280102a8  0xc0000000280102a8  671,022,424

        rtas fadump: Firmware-assisted dump is active.
        fadump: Updated cmdline: fadump=on crashkernel=320M nr_cpus=1
        fadump: Firmware-assisted dump is active.
        fadump: Reserving 960MB of memory at 0x00000014000000 for preserving crash data
      "
    `)
    expect(statSync(join(folder, 'vmcore')).size).toBe(1006698496)
    expect(statSync(join(folder, 'vmcore')).mode & 0o777).toBe(0o600)
  })

  it('has the same header in its memory afterwards', () => {
    expect(run('gen-elfcorehdr', 'machine', '-o', 'again').exitCode).toBe(0)
    expect(readFileSync(join(folder, 'again')).equals(readFileSync(join(folder, 'header')))).toBe(true)
  })

  it('can be exported later', () => {
    const { exitCode, out } = run('boot-capture', 'machine', '--vmcore', 'later', '-q')
    expect(exitCode).toBe(0)
    expect(out).toContain('runs its capture kernel already')
    expect(existsSync(join(folder, 'later'))).toBe(true)
  })
})

describe('in the wrong order', () => {
  it.each([
    ['trigger', 'the machine is not registered', 'first run fadump register fresh'],
    [
      'boot-capture',
      'the machine has not crashed',
      'first run fadump register fresh, then fadump trigger fresh',
    ],
    ['gen-elfcorehdr', 'the machine has not crashed', 'fadump trigger fresh'],
  ])('%s is refused by name', (command, message, hint) => {
    blank('fresh')
    const { exitCode, out, err } = run(command, 'fresh')
    expect({ exitCode, out }).toEqual({ exitCode: 4, out: '' })
    expect(err).toContain(`error: ${command}: ${message}\n`)
    expect(err).toContain(hint)
  })

  it('register is refused while the capture kernel runs', () => {
    expect(run('register', 'machine').err).toContain(
      'error: register: the machine does not run its production kernel',
    )
  })
})

describe('bad input', () => {
  it('too small a crashkernel is refused in the words of the kernel', () => {
    blank('small', 'fadump=on fadump_reserve_mem=1G crashkernel=64M')
    const { exitCode, err } = run('register', 'small')
    expect(exitCode).toBe(4)
    expect(err).toMatchInlineSnapshot(`
      "error: fadump: Can't enable fadump with boot memory size (0x4000000) less than 0x14000000
        printed   fadump: 'fadump_reserve_mem=' parameter is deprecated in favor of 'crashkernel=' parameter.
        printed   fadump: Using 'crashkernel=' parameter for memory reservation.
        hint      give crashkernel=320M or more, on a machine with at least four times that memory
      "
    `)
  })

  it('no fadump= is refused', () => {
    blank('none', 'quiet')
    expect(run('register', 'none')).toMatchObject({ exitCode: 4 })
  })

  it('memory in pieces too small for the area is refused', () => {
    const holes = ['640M-704M', '960M-1G', '1280M-1344M', '1600M-1664M', '1900M-1910M']
    blank('holes', undefined, ['2G', ...holes.flatMap((hole) => ['--hole', hole])])
    const { exitCode, err } = run('register', 'holes')
    expect(exitCode).toBe(4)
    expect(err).toContain('error: fadump: Failed to find memory chunk for reservation!\n')
  })

  it.each([
    [['register', 'machine', '--nonsense'], 2],
    [['register'], 2],
    [['trigger', 'machine', '--cause', 'boredom'], 2],
    [['trigger', 'machine', '--cpu', 'one'], 2],
    [['boot-capture', 'missing'], 3],
    [['register', 'vmcore'], 3],
  ])('%j exits with %d', (args, code) => {
    const { exitCode, out, err } = run(...args)
    expect({ exitCode, out }).toEqual({ exitCode: code, out: '' })
    expect(err).toMatch(/^error: /)
  })
})
