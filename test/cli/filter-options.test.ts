// The command lines of makedumpfile.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump, program } from './program.ts'

const vmcore = fixture('x86_64-7.2-small/vmcore')

const filter = (folder: string, ...args: string[]) => fadump(['filter', ...args], { cwd: folder })

describe('fadump filter, the codec', () => {
  it('is the last one named', () => {
    const folder = makeFolder()
    for (const [output, args] of [
      ['zlib', ['-c']],
      ['last-zlib', ['-l', '-z', '--compress', 'none', '-c']],
      ['raw', []],
      ['last-raw', ['-c', '-p', '--compress', 'none']],
    ] as const) {
      expect(filter(folder, '-d', '31', ...args, vmcore, output).exitCode).toBe(0)
    }
    const read = (name: string) => readFileSync(join(folder, name))
    expect(read('last-zlib').equals(read('zlib'))).toBe(true)
    expect(read('last-raw').equals(read('raw'))).toBe(true)
    expect(read('zlib').length).toBeLessThan(read('raw').length / 2)
  })

  it('has a level, which is 1 for -c', () => {
    const folder = makeFolder()
    for (const level of [1, 9]) filter(folder, '-d31', '--compress', `zlib:${level}`, vmcore, `zlib-${level}`)
    filter(folder, '-d31', '-c', vmcore, 'c')
    const bytes = (name: string) => readFileSync(join(folder, name))
    expect(bytes('zlib-9').length).toBeLessThan(bytes('zlib-1').length)
    expect(Buffer.compare(bytes('c'), bytes('zlib-1'))).toBe(0)
  })

  it.each(['zip', 'zlib:', 'zlib:0', 'zlib:10', 'zlib:1:2', 'lzo:1', 'none:1', ''])('is not %j', (codec) => {
    const { exitCode, err } = filter(makeFolder(), '--compress', codec, vmcore, 'out')
    expect(exitCode).toBe(2)
    expect(err).toContain('--compress')
  })
})

describe('fadump filter -d LIST', () => {
  it('goes on with the next level when the output gets too large', () => {
    const folder = makeFolder()
    const { exitCode, out, err } = filter(folder, '-d', '1,30,31', '-L', '28M', vmcore, 'out')
    expect(exitCode).toBe(0)
    expect(out).toContain('dump level  31\n')
    expect(err).toContain('dump level 30 is tried instead of 1')
    expect(err).toContain('dump level 31 is tried instead of 30')
    expect(readdirSync(folder)).toEqual(['out'])
  })

  it('keeps what fits of the last level and exits with 5', () => {
    const folder = makeFolder()
    const { exitCode, out, err } = filter(folder, '-d', '30,31', '-L', '4M', vmcore, 'out')
    expect([exitCode, out]).toEqual([5, ''])
    expect(err).toMatch(/ of 8178 pages are in .*out\.incomplete/)
    expect(readdirSync(folder)).toEqual(['out.incomplete'])
  })

  it.each([Array(33).fill('31').join(','), '31,', '1,32', ''])('is not %s', (levels) => {
    expect(filter(makeFolder(), '-d', levels, vmcore, 'out').exitCode).toBe(2)
  })
})

describe('fadump filter --split', () => {
  it('writes parts that --reassemble makes the whole dump of', () => {
    const folder = makeFolder()
    const split = filter(
      folder,
      '--split',
      '--splitblock-size',
      '1024',
      '-d',
      '31',
      '-c',
      vmcore,
      'a',
      'b',
      'c',
    )
    expect(split.exitCode).toBe(0)
    expect(split.out).toMatch(/^part +page frames +pages +size\na +0x0-/m)
    expect(filter(folder, '--reassemble', 'c', 'a', 'b', 'whole').exitCode).toBe(0)
    filter(folder, '-d', '31', '-c', vmcore, 'direct')
    expect(readFileSync(join(folder, 'whole')).equals(readFileSync(join(folder, 'direct')))).toBe(true)
    expect(filter(folder, '-d', '31', '-c', 'b', 'c', 'a', 'again').exitCode).toBe(0)
    expect(readFileSync(join(folder, 'again')).equals(readFileSync(join(folder, 'direct')))).toBe(true)
  })
})

describe('fadump filter, messages', () => {
  it('are on standard error and no more than asked for', () => {
    const run = (level: string) => filter(makeFolder(), '--message-level', level, '-d', '31', vmcore, 'out')
    expect(run('0')).toEqual({ exitCode: 0, out: '', err: '' })
    expect(run('1')).toMatchObject({
      out: '',
      err: expect.stringMatching(/^Filtering .* …\nFiltering .*\n$/),
    })
    expect(run('2')).toMatchObject({ out: '', err: expect.stringMatching(/^source [\s\S]*written: .*\n$/) })
    expect(run('16')).toMatchObject({
      out: expect.stringMatching(/^\nOriginal pages {2}: 0x0000000000005fe0\n/),
      err: '',
    })
  })

  it('tell errors always', () => {
    const { exitCode, err } = filter(makeFolder(), '--message-level', '0', 'no-such-file', 'out')
    expect(exitCode).toBe(3)
    expect(err).toMatch(/^error: no-such-file/)
  })

  it('leave standard output to the dump with -F', () => {
    const args = [program, 'filter', '-F', '--show-stats', '--message-level', '16', '-d', '31', vmcore]
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { maxBuffer: 2 ** 26 })
    expect(status).toBe(0)
    expect(stdout.subarray(0, 12).toString()).toBe('makedumpfile')
    expect(stderr.toString()).toContain(`\nWrite bytes     : ${stdout.length}\n`)
  })
})

describe('fadump filter --check-params', () => {
  it.each([
    [0, ['-l', '--message-level', '7', '-d', '31', '/proc/vmcore', '/no/vmcore']],
    [0, ['-F', '-c', '-d', '11,31', '/proc/vmcore']],
    [0, ['-b', '8', '--cyclic-buffer', '1024', '--non-mmap', '--work-dir', '/tmp', '-D', '-f', 'a', 'b']],
    [0, ['--split', '-L', '1G', 'a', 'b', 'c']],
    [0, ['--reassemble', 'a', 'b', 'c']],
    [2, ['-d', '31', '/proc/vmcore']],
    [2, ['-E', '-c', 'a', 'b']],
    [2, ['-F', '--split', 'a', 'b', 'c']],
    [2, ['--split', 'a', 'b']],
    [2, ['--split', '--reassemble', 'a', 'b', 'c']],
    [2, ['--message-level', '32', 'a', 'b']],
    [2, ['--no-such-option', 'a', 'b']],
    [2, []],
  ])('exits with %i for %j', (code, args) => {
    const folder = makeFolder()
    const { exitCode, out, err } = filter(folder, '--check-params', ...args)
    expect({ exitCode, out }).toEqual({ exitCode: code, out: '' })
    if (code === 0) expect(err).toBe('')
    else expect(err).toMatch(/^error: /)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('fadump filter', () => {
  it('takes the options that mean nothing here', () => {
    const folder = makeFolder()
    const { exitCode } = filter(
      folder,
      '-b',
      '8',
      '--cyclic-buffer',
      '64',
      '--non-mmap',
      '--work-dir',
      '.',
      '-D',
      vmcore,
      'out',
    )
    expect(exitCode).toBe(0)
    expect(existsSync(join(folder, 'out'))).toBe(true)
  })

  it('shows the options that most need first', () => {
    const { out } = fadump(['filter', '--help'])
    const headings = out.match(/^\S.*:$/gm)
    expect(headings?.slice(0, 2)).toEqual(['Arguments:', 'What most need:'])
    const first = out.slice(out.indexOf('What most need:'), out.indexOf('Several files:'))
    expect(first.match(/^ {2}-/gm)?.length).toBeLessThanOrEqual(10)
  })

  it('does not replace a file without -f', () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'out'), 'precious')
    expect(filter(folder, '-d', '31', vmcore, 'out').exitCode).toBe(5)
    expect(readFileSync(join(folder, 'out'), 'utf8')).toBe('precious')
    expect(filter(folder, '-f', '-d', '31', vmcore, 'out').exitCode).toBe(0)
  })
})
