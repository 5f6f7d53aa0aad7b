// What filter does instead of filtering.

import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump } from './program.ts'

const vmcore = fixture('x86_64-7.2-small/vmcore')
const filter = (folder: string, ...args: string[]) => fadump(['filter', ...args], { cwd: folder })

describe('fadump filter -R', () => {
  it('writes the file that a stream describes, from standard input and from a file', () => {
    const folder = makeFolder()
    filter(folder, '-c', '-d', '31', '-F', vmcore, 'stream')
    filter(folder, '-c', '-d', '31', vmcore, 'direct')
    const direct = readFileSync(join(folder, 'direct'))
    const input = readFileSync(join(folder, 'stream'))
    const piped = fadump(['filter', '-R', 'piped'], { cwd: folder, input })
    expect(piped).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^stream +standard input, /) })
    expect(filter(folder, '-R', 'stream', 'named').exitCode).toBe(0)
    for (const name of ['piped', 'named']) {
      expect(readFileSync(join(folder, name)).equals(direct)).toBe(true)
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    }
    expect(filter(folder, '-R', 'stream', 'named').exitCode).toBe(5)
  })

  it('ends at once, with nothing left, when the stream is cut short or none', () => {
    const folder = makeFolder()
    const { exitCode, err } = fadump(['filter', '-q', '-R', 'out'], { cwd: folder, input: Buffer.alloc(100) })
    expect(exitCode).toBe(3)
    expect(err).toMatch(/^error: standard input: flattened stream at byte 0x64\n/)
    expect(filter(folder, '-R', vmcore, 'out').err).toContain('not a flattened stream')
    expect(filter(folder, '-R', 'no-such-file', 'out').exitCode).toBe(3)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('fadump filter --dump-dmesg', () => {
  it('writes the kernel log', () => {
    const folder = makeFolder()
    expect(filter(folder, '--dump-dmesg', vmcore, 'dmesg').exitCode).toBe(0)
    const text = readFileSync(join(folder, 'dmesg'), 'utf8')
    expect(text).toMatch(/^\[ {4}0\.000000\] \[ +T0\] Linux version 7\.2/)
    expect(filter(folder, '--dump-dmesg', vmcore, '-').out).toBe(text)
    expect(filter(folder, '--dump-dmesg', vmcore, 'dmesg').exitCode).toBe(5)
  })

  it('is what --partial-dmesg is for', () => {
    expect(filter(makeFolder(), '--partial-dmesg', vmcore, 'out').exitCode).toBe(2)
  })
})

describe('fadump filter --vtop', () => {
  it('shows the entries, and filters when there is an output', () => {
    const folder = makeFolder()
    const info = /SYMBOL\(init_uts_ns\)=(\w+)/.exec(readFileSync(vmcore, 'latin1').slice(0, 8192)) ?? []
    const { out, exitCode } = filter(folder, '--vtop', `0x${info[1]}`, vmcore)
    expect(exitCode).toBe(0)
    expect(out).toMatch(
      /^\nTranslating [^\n]*\n( {2}P\wD : +\w+ => +\w+\n)+( {2}PTE : +\w+ => +\w+\n)?VIRTUAL +PHYSICAL\n/,
    )
    expect(readdirSync(folder)).toEqual([])
    const both = filter(folder, '--vtop', `0x${info[1]}`, '-d', '31', vmcore, 'out')
    expect(both.err).toContain(out)
    expect(existsSync(join(folder, 'out'))).toBe(true)
  })

  it.each([
    [3, '0x10'],
    [2, '0x10000000000000000'],
    [2, 'init_task'],
  ])('exits with %i for %s', (code, address) => {
    expect(filter(makeFolder(), '--vtop', address, vmcore).exitCode).toBe(code)
  })
})

describe('fadump filter --mem-usage', () => {
  it('counts the pages of any dump, in the table of makedumpfile', () => {
    // The counts are those of expected/makedumpfile-d31.txt.
    expect(filter(makeFolder(), '-q', '--mem-usage', vmcore).out).toMatchInlineSnapshot(`
      "
      TYPE		PAGES			EXCLUDABLE	DESCRIPTION
      ----------------------------------------------------------------------
      ZERO		1391            	yes		Pages filled with zero
      NON_PRI_CACHE	885             	yes		Cache pages without private flag
      PRI_CACHE	0               	yes		Cache pages with private flag
      USER		2105            	yes		User process pages
      FREE		13376           	yes		Free pages
      KERN_DATA	6787            	no		Dumpable kernel data 

      page size:		4096            
      Total pages on system:	24544           
      Total size on system:	100532224        Byte
      "
    `)
    const { pages } = JSON.parse(filter(makeFolder(), '-q', '--json', '--mem-usage', vmcore).out)
    expect(pages).toMatchObject({ zero: 0x56f, cache: 0x375, user: 0x839, free: 0x3440, existing: 0x5fe0 })
  })
})

describe('fadump filter --dry-run', () => {
  it('tells what would be written, and writes nothing', () => {
    const folder = makeFolder()
    const { exitCode, out } = filter(folder, '--dry-run', '-c', '-d', '31', vmcore, 'out')
    expect(exitCode).toBe(0)
    expect(out).toContain('kept                    6,787  26.5 MiB   28 %\n')
    expect(out).toMatch(/^not compressed +26\.7 MiB +27\.9 %\nzlib, as asked for +\d/m)
    const [stats, real] = [
      ['--dry-run', vmcore],
      [vmcore, 'out'],
    ].map((names) => filter(folder, '--show-stats', '-d', '31', ...names).out)
    expect(stats).toMatch(/^Write bytes {5}: \d{8}$/m)
    expect(stats).toBe(real)
    expect(readdirSync(folder)).toEqual(['out'])
  })
})

describe('fadump filter -i, -x and -g', () => {
  const info = /OSRELEASE=[^\0]*/.exec(readFileSync(vmcore, 'latin1').slice(0, 16384))?.[0] ?? ''

  it('takes the words of a file for those of the kernel, and no file of another kernel', () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'same'), info)
    writeFileSync(join(folder, 'other'), info.replace('OSRELEASE=7', 'OSRELEASE=8'))
    expect(filter(folder, '-i', 'same', '-d', '31', vmcore, 'out').exitCode).toBe(0)
    const { exitCode, err } = filter(folder, '-f', '-i', 'other', '-d', '31', vmcore, 'out')
    expect(exitCode).toBe(2)
    expect(err).toMatch(/^error: other is of Linux 8\S+, and the dump of 7\S+\n$/)
  })

  it('says what a file lacks', () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'file'), 'text')
    expect(filter(folder, '-i', 'file', vmcore, 'out').exitCode).toBe(3)
    expect(filter(folder, '-x', 'file', vmcore, 'out').exitCode).toBe(3)
    expect(filter(folder, '-x', process.execPath, vmcore, 'out').exitCode).toBe(3)
    expect(filter(folder, '-g', 'out', '-x', 'file').exitCode).toBe(3)
    expect(filter(folder, '-g', 'out').exitCode).toBe(2)
    expect(filter(folder, '-g', 'out', '-x', 'file', vmcore).exitCode).toBe(2)
    expect(filter(folder, '-i', 'file', '-x', 'file', vmcore, 'out').exitCode).toBe(2)
    expect(readdirSync(folder)).toEqual(['file'])
  })
})

describe('fadump filter --exclude-threshold', () => {
  it('says how many pages are worth a hole in an ELF file', () => {
    const folder = makeFolder()
    const size = (pages: string, name: string): number => {
      expect(filter(folder, '-E', '-d', '31', '--exclude-threshold', pages, vmcore, name).exitCode).toBe(0)
      return statSync(join(folder, name)).size
    }
    filter(folder, '-E', '-d', '31', vmcore, 'usual')
    expect(size('256', 'same')).toBe(statSync(join(folder, 'usual')).size)
    expect(size('1', 'least')).toBeLessThan(6787 * 4096 + 2 ** 20)
    expect(size('100000', 'most')).toBeGreaterThan(size('257', 'more'))
    expect(filter(folder, '-E', '--exclude-threshold', '0', vmcore, 'none').exitCode).toBe(2)
  })
})

describe('fadump filter', () => {
  it('does one thing at a time', () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'stream'), '')
    for (const options of [
      ['-R', '--dump-dmesg'],
      ['--mem-usage', '--split'],
      ['-F', '-R'],
      ['--vtop', '1', '-R'],
    ]) {
      expect(filter(folder, ...options, 'stream', 'out').exitCode, options.join(' ')).toBe(2)
    }
  })
})

describe('fadump filter -f', () => {
  it('never replaces what it reads, by whatever name', () => {
    const folder = makeFolder()
    copyFileSync(vmcore, join(folder, 'dump'))
    symlinkSync('dump', join(folder, 'link'))
    filter(folder, '-F', '-d', '31', 'dump', 'stream')
    filter(folder, '--split', '--splitblock-size', '1024', '-d', '31', 'dump', 'part1', 'part2')
    const files = readdirSync(folder)
    for (const args of [
      ['-d', '31', 'dump', './dump'],
      ['-d', '31', 'dump', 'link'],
      ['--split', 'dump', 'new', 'dump'],
      ['--dump-dmesg', 'dump', 'dump'],
      ['--reassemble', 'part1', 'part2', 'part1'],
      ['-R', 'stream', 'stream'],
    ]) {
      const { exitCode, err } = filter(folder, '-f', ...args)
      expect(err).toMatch(/^error: \S+: is read from, and would be lost$/m)
      expect(exitCode).toBe(5)
      expect(readdirSync(folder)).toEqual(files)
    }
    expect(readFileSync(join(folder, 'dump')).equals(readFileSync(vmcore))).toBe(true)
  })
})

describe('fadump filter --split', () => {
  it('refuses two parts of the same name', () => {
    const folder = makeFolder()
    const { exitCode, err } = filter(folder, '--split', vmcore, 'part', './part')
    expect(err).toMatch(/^error: two parts have the same name$/m)
    expect(exitCode).toBe(2)
    expect(readdirSync(folder)).toEqual([])
  })
})
