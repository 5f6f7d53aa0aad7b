// The commands on machines, as a user and a script see them.

import { closeSync, existsSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openMachineImage } from '../../src/formats/machine-image/image.ts'
import { slotSize } from '../../src/formats/machine-image/layout.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump } from './program.ts'

/** Path of a blank machine of 768 MiB. */
function create(): string {
  const path = join(makeFolder(), 'machine')
  expect(fadump(['create', path, '--memory', '768M', '--cmdline', 'fadump=on', '--cpus', '2']).exitCode).toBe(
    0,
  )
  return path
}

describe('create', () => {
  it('prints what the machine is and where each fact is from', () => {
    const path = join(makeFolder(), 'machine')
    const { exitCode, out } = fadump(['create', path, '--memory', '2G', '--hole', '1G-1536M', '--cpus', '4'])
    expect(exitCode).toBe(0)
    expect(out.replace(path, 'machine.img')).toMatchInlineSnapshot(`
      "machine    machine.img
      made from  blank
      memory     1.5 GiB, 0x0-0x40000000 0x60000000-0x80000000
      CPUs       4

      fact            known from  value
      kernel          default     unknown
      MMU             default     radix
      command line    default     fadump=on
      possible CPUs   option      4
      CPU mask bits   default     2048
      real-mode area  default     1 GiB
      "
    `)
  })

  it('does not write over a file without -f', () => {
    const path = create()
    const { exitCode, err } = fadump(['create', path, '--memory', '1G'])
    expect(exitCode).toBe(5)
    expect(err).toContain('exists already\n  hint      use -f to replace it')
    expect(fadump(['create', path, '--memory', '1G', '-f']).exitCode).toBe(0)
  })

  it.each([[['--from', '/nowhere']], [['--from', import.meta.filename]]])(
    'is an error of input: %j',
    (args) => {
      const path = join(makeFolder(), 'machine')
      expect(fadump(['create', path, ...args]).exitCode).toBe(3)
      expect(existsSync(path)).toBe(false)
    },
  )

  it.each([
    [[]],
    [['--memory', 'much']],
    [['--memory', '1G', '--hole', '5']],
    [['--memory', '1G', '--page-size', '8192']],
    [['--memory', '1G', '--firmware', 'opal']],
    [['--memory', '1G', '--firmware', 'uefi']],
    [['--memory', '1G', '--colour', 'red']],
  ])('is an error of usage: %j', (args) => {
    const { exitCode, err } = fadump(['create', join(makeFolder(), 'machine'), ...args])
    expect(exitCode).toBe(2)
    expect(err).toMatch(/^error: .*\n {2}hint/m)
  })
})

describe('status', () => {
  it('prints the machine', () => {
    const path = create()
    const { exitCode, out } = fadump(['status', path])
    expect(exitCode).toBe(0)
    expect(out.replace(path, 'machine.img')).toMatchInlineSnapshot(`
      "machine       machine.img runs its production kernel, not registered
      made from     blank
      kernel        unknown release, ppc64le, radix MMU
      firmware      RTAS
      CPUs          2 online of 2 possible
      memory        768 MiB, 768 MiB usable, 320 MiB of it for movable pages
      command line  fadump=on

      reserved        0x14000000-0x280102a8, 320 MiB
      boot memory     0x0-0x14000000, 320 MiB
      its copy        0x14010000
      crash info      0x28010000
      parameter area  0x2ffff800

      /sys/kernel/fadump/bootargs_append: 
      /sys/kernel/fadump/enabled: 1
      /sys/kernel/fadump/hotplug_ready: 1
      /sys/kernel/fadump/mem_reserved: 335610536
      /sys/kernel/fadump/registered: 0
      "
    `)
  })

  it('prints the same as JSON', () => {
    const status = JSON.parse(fadump(['status', create(), '--json']).out)
    expect(status).toMatchObject({
      stage: 'production',
      memory: { total: 768 * 2 ** 20, ranges: [{ start: '0x0', end: '0x30000000' }] },
      sysfs: { enabled: '1', registered: '0', hotplug_ready: '1' },
      reservation: { start: '0x14000000', crashInfo: '0x28010000' },
    })
  })

  it('says what is no machine, and how to get one', () => {
    const path = join(makeFolder(), 'notes.txt')
    writeFileSync(path, 'no machine')
    const { exitCode, err } = fadump(['status', path])
    expect(exitCode).toBe(3)
    expect(err.replace(path, 'notes.txt')).toBe(
      'error: notes.txt: not a machine image at byte 0x0\n' +
        '  expected  "fadump machine"\n' +
        '  found     bytes 6e6f206d61636869\n' +
        '  hint      fadump create makes one, from a dump with --from or blank with --memory\n',
    )
  })

  it('uses the other state slot when one is damaged, and says so', () => {
    const path = create()
    const fd = openSync(path, 'r+')
    writeSync(fd, Buffer.from([0xff]), 0, 1, 40)
    writeSync(fd, Buffer.from([0xff]), 0, 1, 4096)
    closeSync(fd)
    const { exitCode, err } = fadump(['status', path])
    expect(exitCode).toBe(0)
    expect(err).toMatch(
      /^warning: .*state slot 0, checksum at byte 0x24 is wrong; using the other state slot/,
    )
  })

  it('refuses a machine with both state slots damaged', () => {
    const path = create()
    const fd = openSync(path, 'r+')
    for (const base of [0, slotSize]) writeSync(fd, Buffer.from([0xff]), 0, 1, base + 4096)
    closeSync(fd)
    const { exitCode, err } = fadump(['status', path])
    expect(exitCode).toBe(3)
    expect(err).toContain('both state slots are damaged')
  })

  it('refuses a machine that was cut short', () => {
    const path = create()
    truncateSync(path, 100 * 2 ** 20)
    const { exitCode, err } = fadump(['status', path])
    expect(exitCode).toBe(3)
    expect(err).toContain('RAM ends too early at byte 0x6400000')
    expect(err).toContain('hint      the copy may be cut short')
  })
})

describe('a machine in use', () => {
  it('is refused to a second writer and shown to readers', () => {
    const path = create()
    using _writer = openMachineImage(path, { write: true })
    const { exitCode, err } = fadump(['register', path])
    expect(exitCode).toBe(4)
    expect(err.replace(path, 'machine.img')).toBe(
      `error: machine.img: the machine is in use by process ${process.pid}\n` +
        '  hint      one command at a time changes a machine; wait for the other one to end\n',
    )
    expect(fadump(['status', path]).exitCode).toBe(0)
  })
})

describe('a command at the wrong stage', () => {
  const steps = ['register', 'trigger', 'boot-capture', 'release'] as const

  it.each([
    ['trigger', 0, 'trigger: the machine is not registered'],
    ['boot-capture', 0, 'boot-capture: the machine has not crashed'],
    ['release', 0, 'release: the machine does not run its capture kernel'],
    ['boot-capture', 1, 'boot-capture: the machine has not crashed'],
    ['release', 1, 'release: the machine does not run its capture kernel'],
    ['register', 2, 'register: the machine does not run its production kernel'],
    ['release', 2, 'release: the machine does not run its capture kernel'],
    ['register', 3, 'register: the machine does not run its production kernel'],
    ['trigger', 3, 'trigger: the machine is not registered'],
  ] as const)('%s after %i steps is refused by name', (command, done, message) => {
    const path = create()
    for (const step of steps.slice(0, done)) expect(fadump([step, path]).exitCode, step).toBe(0)
    const { exitCode, err } = fadump([command, path])
    expect(exitCode).toBe(4)
    expect(err).toContain(`error: ${message}\n  hint      it `)
    expect(err).toContain('first run fadump ')
  })

  it.each([0, 1, 2])('a dump is asked for after %i steps', (done) => {
    const path = create()
    for (const step of steps.slice(0, done)) fadump([step, path])
    const { exitCode, err } = fadump(['analyze', path])
    expect(exitCode).toBe(4)
    expect(err).toContain('the machine has no dump to read')
  })
})
