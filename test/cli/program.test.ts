import { spawnSync } from 'node:child_process'
import { closeSync, copyFileSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump, program } from './program.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))

describe('fadump, as built', () => {
  it('prints its version', () => {
    expect(fadump(['--version'])).toEqual({ exitCode: 0, out: `${version}\n`, err: '' })
  })

  it.each([[[]], [['--help']], [['-h']], [['help']]])('lists the commands for %j', (args) => {
    const { exitCode, out, err } = fadump(args)
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
    expect(out.match(/^ {2}[a-z][a-z-]+ .*/gm)?.map((line) => line.trim().split(' ')[0])).toEqual([
      ...['create', 'register', 'trigger', 'boot-capture', 'gen-elfcorehdr', 'filter', 'save', 'analyze'],
      ...['status', 'release', 'demo', 'help'],
    ])
  })

  it.each([[['help', 'filter']], [['filter', '--help']], [['filter', '-h']]])(
    'shows options for %j',
    (args) => {
      const { exitCode, out, err } = fadump(args)
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' })
      expect(out).toMatch(/^Usage: fadump filter \[options\] <source> <output>\n/)
      expect(out).toContain('-d, --dump-level <level>')
      expect(out).toContain('--json')
    },
  )
})

describe('a command line that makes no sense exits with 2 and says what there is', () => {
  it.each([
    [
      ['filtr'],
      "error: unknown command 'filtr'\n  hint      did you mean filter? fadump --help shows what there is\n",
    ],
    [['help', 'filtr'], "error: unknown command 'filtr'\n"],
    [['--bogus'], "error: unknown option '--bogus'\n  hint      fadump --help shows what there is\n"],
    [
      ['filter', 'a', 'b', '--forse'],
      "error: unknown option '--forse'\n  hint      did you mean --force? fadump filter --help shows what there is\n",
    ],
    [
      ['analyze'],
      "error: missing required argument 'source'\n  hint      fadump analyze --help shows what there is\n",
    ],
    [['analyze', 'a', 'b'], 'error: too many arguments'],
    [['filter', 'a', 'b', '-d', '32'], "error: option '-d, --dump-level <level>' argument '32' is invalid."],
    [['filter', 'a', 'b', '-c', '-E'], "error: option '-E, --elf' cannot be used with option '-c, --zlib'"],
    [['create', 'm', '--memory', '2X'], "error: option '--memory <size>' argument '2X' is invalid."],
  ])('%j', (args, complaint) => {
    const { exitCode, out, err } = fadump(args)
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' })
    expect(err).toContain(complaint)
  })
})

describe('bad input exits with 3', () => {
  it('when there is no such file', () => {
    const { exitCode, out, err } = fadump(['analyze', '/nowhere/vmcore'])
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' })
    expect(err).toMatch(/^error: \/nowhere\/vmcore: cannot be opened\n {2}found {5}ENOENT/)
  })

  it.each(['analyze', 'status'])('when %s gets something else', (command) => {
    const { exitCode, err } = fadump([command, program])
    expect(exitCode).toBe(3)
    expect(err).toMatch(/^error: .*fadump\.cjs: not a /)
  })

  it('when it is a directory', () => {
    expect(fadump(['analyze', '/tmp'])).toMatchObject({ exitCode: 3, out: '' })
  })
})

describe('a machine at another stage exits with 4', () => {
  it('and the machine stays as it is', () => {
    const machine = join(makeFolder(), 'machine.img')
    expect(fadump(['create', machine, '--memory', '1G', '-q']).exitCode).toBe(0)
    const before = fadump(['status', machine, '--json']).out
    for (const command of ['trigger', 'boot-capture', 'gen-elfcorehdr', 'release']) {
      const { exitCode, out, err } = fadump([command, machine])
      expect({ command, exitCode, out }).toEqual({ command, exitCode: 4, out: '' })
      expect(err).toMatch(new RegExp(`^error: ${command}: .*\\n  hint      .*fadump`))
    }
    expect(fadump(['status', machine, '--json']).out).toBe(before)
  })
})

describe('an output that exists already', () => {
  it.each([
    ['filter', (path: string) => ['filter', source, path]],
    ['create', (path: string) => ['create', path, '--memory', '1G']],
  ])('is refused by %s with 5, and replaced with -f', (_, args) => {
    const path = join(makeFolder(), 'precious')
    writeFileSync(path, 'precious')
    const { exitCode, err } = fadump(args(path))
    expect(exitCode).toBe(5)
    expect(err).toContain(
      `error: ${path}: exists already\n  hint      use -f to replace it, or another name\n`,
    )
    expect(readFileSync(path, 'utf8')).toBe('precious')
    expect(fadump([...args(path), '-f']).exitCode).toBe(0)
    expect(readFileSync(path).length).toBeGreaterThan(1000)
  })

  it('is refused before a device is asked for space', () => {
    const { exitCode, err } = fadump(['filter', source, '/dev/full'])
    expect(exitCode).toBe(5)
    expect(err).toContain('error: /dev/full')
    expect(existsSync('/dev/full')).toBe(true)
  })
})

describe('standard output that takes nothing', () => {
  it.each([
    ['a dump', ['filter', '-q', source, '-']],
    ['the kernel log', ['filter', '--dump-dmesg', source, '-']],
    ['help', ['--help']],
  ])('is told, for %s', (_, args) => {
    const full = openSync('/dev/full', 'w')
    const stdio = ['ignore', full, 'pipe'] as const
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], {
      stdio: [...stdio],
      encoding: 'utf8',
    })
    closeSync(full)
    expect(stderr).toContain('error: standard output: ENOSPC')
    expect(status).toBe(5)
  })
})

describe('--json', () => {
  it.each([
    [['analyze', source]],
    [['filter', source, 'OUT', '-d', '31']],
    [['create', 'OUT', '--memory', '1G']],
    [['save', source, 'OUT']],
  ])('prints JSON and nothing else: %j', (args) => {
    const out = join(makeFolder(), 'out')
    const run = fadump([...args.map((arg) => (arg === 'OUT' ? out : arg)), '--json', '-q'])
    expect(run).toMatchObject({ exitCode: 0, err: '' })
    expect(JSON.parse(run.out)).toBeTypeOf('object')
  })

  it('makes errors an object on standard error, with all their fields', () => {
    const { exitCode, out, err } = fadump(['--json', 'analyze', '/nowhere'])
    expect({ exitCode, out }).toEqual({ exitCode: 3, out: '' })
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'FORMAT', exitCode: 3, file: '/nowhere' } })
  })
})

/** Runs the program on a terminal made by script(1). */
const onTerminal = (env: Record<string, string>): string =>
  spawnSync('script', ['-qec', `${process.execPath} ${program} analyze ${source}`, '/dev/null'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TERM: 'xterm', ...env },
  }).stdout

describe('colour', () => {
  it('is there on a terminal', () => {
    expect(onTerminal({})).toContain('\x1b[')
  })

  it.each([
    ['NO_COLOR', '1'],
    ['NO_COLOR', ''],
    ['TERM', 'dumb'],
  ])('is not there with %s=%s', (name, value) => {
    const text = onTerminal({ [name]: value })
    expect(text).toContain('Kernel log')
    expect(text).not.toContain('\x1b[')
  })

  it('is not there in a pipe', () => {
    expect(fadump(['analyze', source]).out).not.toContain('\x1b')
  })
})

describe('a reader that goes away', () => {
  const pipe = (command: string): string =>
    spawnSync('bash', ['-c', `${process.execPath} ${program} ${command}; echo "\${PIPESTATUS[0]}"`], {
      encoding: 'utf8',
    }).stdout

  it('is no failure for text', () => {
    expect(pipe(`analyze ${source} | true`)).toBe('0\n')
  })

  it('is a failure for a dump', () => {
    expect(pipe(`filter -F ${source} - | head -c 1000 >/dev/null`)).toBe('5\n')
  })
})

describe('options before the command', () => {
  it('work as after it', () => {
    const after = fadump(['analyze', source, '--section', 'machine', '--json'])
    expect(fadump(['--json', 'analyze', source, '--section', 'machine'])).toEqual(after)
  })
})

describe('a file named like a command', () => {
  it('is a file', () => {
    const folder = makeFolder()
    copyFileSync(source, join(folder, 'filter'))
    const { exitCode, out } = fadump(['analyze', 'filter', '--section', 'dump'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(out).toMatch(/file +filter\n/)
  })
})
