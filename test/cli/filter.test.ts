import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { type PageEra, pageEras } from '../make/page-eras.ts'
import { PageMachine, structPagesAt } from '../make/page-machine.ts'
import { fadump, program } from './program.ts'

const vmcore = fixture('x86_64-7.2-small/vmcore')

describe('fadump filter', () => {
  it('says what was left out and what it came to', () => {
    const folder = makeFolder()
    const { exitCode, out } = fadump(['filter', '-q', '-c', '-d', '31', vmcore, 'out'], { cwd: folder })
    expect(exitCode).toBe(0)
    expect(out.replace(vmcore, 'VMCORE').replace(/written: .*/, 'written: SIZE')).toMatchInlineSnapshot(`
      "source      VMCORE
      output      out (kdump, zlib)
      dump level  31

      pages                  number      size  share
      left out: zero          1,391   5.4 MiB    6 %
      left out: page cache      885   3.5 MiB    4 %
      left out: user memory   2,105   8.2 MiB    9 %
      left out: free         13,376  52.3 MiB   54 %
      kept                    6,787  26.5 MiB   28 %
      all                    24,544  95.9 MiB  100 %

      written: SIZE
      "
    `)
    expect(readdirSync(folder)).toEqual(['out'])
  })

  it('prints the result as JSON', () => {
    const output = join(makeFolder(), 'out')
    const { out } = fadump(['filter', '--json', '-E', '-d', '31', vmcore, output])
    const result = JSON.parse(out)
    expect(result).toMatchObject({
      source: vmcore,
      output,
      format: 'elf',
      codec: null,
      flattened: false,
      level: 31,
      pageSize: 4096,
      pages: { existing: 24544, zero: 1391, cache: 885, user: 2105, free: 13376, kept: 6787, lost: 0 },
      memorySize: 24544 * 4096,
      incomplete: false,
      warnings: [],
    })
    expect(statSync(output).size).toBe(result.outputSize)
  })

  it('writes a flattened stream to standard output and its words to standard error', () => {
    const folder = makeFolder()
    const done = spawnSync(process.execPath, [program, 'filter', '-c', '-d', '31', vmcore, '-'], {
      maxBuffer: 2 ** 26,
    })
    expect(done.status).toBe(0)
    expect(done.stdout.subarray(0, 12).toString()).toBe('makedumpfile')
    expect(done.stderr.toString()).toContain('output      standard output (kdump, zlib, flattened)')
    const again = fadump(['filter', '-c', '-d', '31', '-', 'out'], { cwd: folder, input: done.stdout })
    expect(again.exitCode).toBe(0)
    fadump(['filter', '-c', '-d', '31', vmcore, 'direct'], { cwd: folder })
    expect(readFileSync(join(folder, 'out')).equals(readFileSync(join(folder, 'direct')))).toBe(true)
  })

  it('tells that levels add up', () => {
    const folder = makeFolder()
    fadump(['filter', '-d', '30', vmcore, 'once'], { cwd: folder })
    const { out } = fadump(['filter', '-d', '1', 'once', 'twice'], { cwd: folder })
    expect(out).toContain('dump level  31, changed from 1 because the source was created by dump level 30\n')
    expect(out).toContain('missing in the source  16,366')
  })

  it('exits with 5 when the reader of its output goes away', () => {
    const command = `"$0" "$1" filter -q -c -d 1 "$2" - | head -c 100000 >/dev/null; echo "\${PIPESTATUS[0]}"`
    const done = spawnSync('bash', ['-c', command, process.execPath, program, vmcore])
    expect(done.stdout.toString()).toBe('5\n')
  })

  it('exits with 6 when the dump is cut short, and keeps what there is', () => {
    const folder = makeFolder()
    copyFileSync(vmcore, join(folder, 'vmcore'))
    truncateSync(join(folder, 'vmcore'), 64 * 2 ** 20)
    const { exitCode, err } = fadump(['filter', '-d', '1', 'vmcore', 'out'], { cwd: folder })
    expect(exitCode).toBe(6)
    expect(err).toContain('warning: vmcore is cut short')
    expect(existsSync(join(folder, 'out'))).toBe(true)
  })

  it.each([
    [['filter'], 2],
    [['filter', vmcore], 2],
    [['filter', '-d', '32', vmcore, 'out'], 2],
    [['filter', '-d', 'all', vmcore, 'out'], 2],
    [['filter', '-c', '-E', vmcore, 'out'], 2],
    [['filter', '-j', '257', vmcore, 'out'], 2],
    [['filter', 'no-such-file', 'out'], 3],
    [['filter', import.meta.filename, 'out'], 3],
    [['filter', vmcore, 'no-such-directory/out'], 5],
    [['filter', vmcore, '.'], 5],
  ])('%j exits with %d and leaves nothing', (args, code) => {
    const folder = makeFolder()
    const { exitCode, out, err } = fadump([...args, '-q'], { cwd: folder })
    expect({ exitCode, out }).toEqual({ exitCode: code, out: '' })
    expect(err).toMatch(/^error: /)
    expect(readdirSync(folder)).toEqual([])
  })

  it('exits 6 when struct pages were overwritten, and 3 with --strict, leaving nothing', () => {
    const folder = makeFolder()
    const machine = new PageMachine(pageEras.at(-1) as PageEra)
    machine.memory.write(structPagesAt, Buffer.alloc(65536, 0xff))
    writeFileSync(join(folder, 'vmcore'), machine.elfCore())
    const strict = fadump(['filter', '-d', '31', '--strict', 'vmcore', 'out'], { cwd: folder })
    expect(strict).toMatchObject({ exitCode: 3, out: '' })
    expect(strict.err).toContain('the memory map was overwritten')
    expect(readdirSync(folder)).toEqual(['vmcore'])
    const { exitCode, err } = fadump(['filter', '-q', '-d', '31', 'vmcore', 'out'], { cwd: folder })
    expect(exitCode).toBe(6)
    expect(err).toContain('1024 pages cannot be judged and are kept (page frames 0x0-0x400)')
  })
})
