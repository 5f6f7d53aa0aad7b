import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { shortenLog } from '../../src/commands/demo-steps.ts'
import { fadump } from './program.ts'

describe('fadump demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fadump-demo-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const demo = fadump(['demo', 'out'], { cwd: folder })

  it('takes a real machine from registration to the report', () => {
    expect({ exitCode: demo.exitCode, err: demo.err }).toEqual({ exitCode: 0, err: '' })
    expect(demo.out.match(/^\$ fadump [a-z-]+/gm)).toEqual([
      '$ fadump create',
      '$ fadump register',
      '$ fadump trigger',
      '$ fadump boot-capture',
      '$ fadump gen-elfcorehdr',
      '$ fadump filter',
      '$ fadump save',
      '$ fadump analyze',
    ])
    expect(demo.out).toMatch(
      /Kernel panic - not syncing: sysrq triggered crash\n\nAll files are in out: .*\n$/,
    )
  })

  it('shows what the real machine showed', () => {
    // console.txt: "fadump: Reserved 320MB of memory at 0x00000014000000", mem_reserved 335610288
    expect(demo.out).toContain('0x14000000-0x280101b0, 335,610,288 bytes')
    // vmcore.sha256's file has this size
    expect(demo.out).toContain('1,006,698,496 bytes')
  })

  it('leaves files that stay within 2 GiB of disk', () => {
    expect(readdirSync(join(folder, 'out'))).toEqual(['crash', 'elfcorehdr', 'machine.img', 'vmcore.kdump'])
    const [kilobytes] = execFileSync('du', ['-sk', folder], { encoding: 'utf8' }).split('\t')
    expect(Number(kilobytes)).toBeLessThan(2 * 2 ** 20)
  })

  it('types command lines that work as typed', () => {
    const lines = demo.out.match(/^\$ fadump (filter|analyze|gen-elfcorehdr) .*/gm) ?? []
    expect(lines).toHaveLength(3)
    for (const line of lines) {
      const args = line.replace('$ fadump ', '').split(' ')
      const again = args[0] === 'analyze' ? args : [...args, '-f']
      expect(fadump(again, { cwd: folder }).exitCode, line).toBe(0)
    }
  })

  it('refuses to replace what an earlier demo left, unless told to', () => {
    const before = readFileSync(join(folder, 'out/elfcorehdr'))
    expect(fadump(['demo', 'out'], { cwd: folder }).exitCode).toBe(5)
    expect(readFileSync(join(folder, 'out/elfcorehdr'))).toEqual(before)
    const again = fadump(['demo', 'out', '-f', '--json'], { cwd: folder })
    expect(again.exitCode).toBe(0)
    expect(JSON.parse(again.out).steps).toHaveLength(8)
  })
})

describe('the shortened report', () => {
  it('keeps the end of the log and says how much is left out', () => {
    const report = ['Report', '', 'Kernel log', 'a', 'b', 'c', 'd'].join('\n')
    expect(shortenLog(report, 2)).toBe('Report\n\nKernel log\n… 2 lines more in analysis.txt …\nc\nd')
  })

  it('is the whole report when the log is short', () => {
    expect(shortenLog('Kernel log\na\nb', 2)).toBe('Kernel log\na\nb')
    expect(shortenLog('a\nb\nc\nd\ne', 2)).toBe('a\nb\nc\nd\ne')
  })
})
