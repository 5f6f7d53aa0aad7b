import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type DrgnFacts, demoMachine, expectedJson, fixture } from '../fixtures/index.ts'
import { makeElfCore } from '../make/elf-core.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump } from './program.ts'

const source = fixture('ppc64le-7.2-fadump/vmcore')

describe('fadump save', () => {
  it('delivers the fadump vmcore as kdump would', () => {
    const folder = makeFolder()
    const { exitCode, out } = fadump(['save', source, folder, '--json'])
    expect(exitCode).toBe(0)
    const { location, files, dump } = JSON.parse(out)
    // drgn.json: nodename fixture; CRASHTIME=1795447218 in the dump: date -u -d @1795447218
    expect(location).toBe(join(folder, 'fixture-2026-11-23-15:20:18'))
    expect(files.map((file: { name: string }) => file.name)).toEqual([
      'vmcore-dmesg.txt',
      'vmcore',
      'analysis.txt',
    ])
    // makedumpfile-d31.txt: Remaining pages
    expect(dump.pages.kept).toBe(0x26c)
    const check = execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: location })
    expect(String(check)).toBe('')
  })

  it('saves the log that drgn reads', () => {
    const folder = makeFolder()
    const { location } = JSON.parse(fadump(['save', source, folder, '--json']).out)
    const { dmesg } = expectedJson<DrgnFacts>('ppc64le-7.2-fadump', 'drgn.json')
    // drgn gives the time of a record once, dmesg(1) and we on each of its lines.
    let time = ''
    const lines = dmesg
      .trimEnd()
      .split('\n')
      .map((line) => {
        time = /^\[ *\d+\.\d{6}\] /.exec(line)?.[0] ?? time
        return line.startsWith(time) ? line : time + line
      })
    expect(readFileSync(join(location, 'vmcore-dmesg.txt'), 'utf8')).toBe(`${lines.join('\n')}\n`)
  })

  it('saves a dump that analyze reads as it reads the source', () => {
    const folder = makeFolder()
    const { location } = JSON.parse(fadump(['save', source, folder, '--json']).out)
    const saved = JSON.parse(fadump(['analyze', join(location, 'vmcore'), '--json']).out)
    const original = JSON.parse(fadump(['analyze', source, '--json']).out)
    expect(saved.panic.message).toBe(original.panic.message)
    expect(saved.log).toEqual(original.log)
  })

  it('filters a dump without a VMCOREINFO note by the one in its memory', () => {
    const { exitCode, out } = fadump(['save', demoMachine, makeFolder(), '--json'])
    expect(exitCode).toBe(0)
    // drgn-pages.json of the dump that was taken of the same machine a few seconds later
    expect(JSON.parse(out).dump.pages).toMatchObject({ existing: 20480, free: 18884, cache: 342 })
  })

  it('exits with 6 when a dump has no log to be found, and says so', () => {
    const folder = makeFolder()
    const core = join(folder, 'core')
    writeFileSync(core, makeElfCore({ segments: [{ physical: 0, data: new Uint8Array(4096).fill(1) }] }))
    const { exitCode, err } = fadump(['save', core, folder, '-d', '0'])
    expect(err).toContain('warning: no vmcore-dmesg.txt')
    expect(exitCode).toBe(6)
  })

  it('refuses what is no dump with 3, and makes no directory', () => {
    const folder = makeFolder()
    const target = join(folder, 'crash')
    expect(fadump(['save', join(import.meta.dirname, 'save.test.ts'), target]).exitCode).toBe(3)
    expect(readdirSync(folder)).toEqual([])
  })

  it('exits with 5 where nothing can be written', () => {
    const { exitCode, err } = fadump(['save', source, '/proc/nowhere'])
    expect(exitCode).toBe(5)
    expect(err).toContain('error: /proc/nowhere')
  })

  it('leaves a directory that is there as it is', () => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'fixture-2026-11-23-15:20:18'))
    const { location } = JSON.parse(fadump(['save', source, folder, '--json']).out)
    expect(location).toBe(join(folder, 'fixture-2026-11-23-15:20:18-2'))
    expect(statSync(join(location, 'vmcore')).mode & 0o777).toBe(0o600)
  })
})

const canMount = process.getuid?.() === 0 && spawnSync('mount', ['-V']).status === 0

describe.skipIf(!canMount)('fadump save to a full disk (mounts 4 MiB, which needs root)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fadump-full-'))
  beforeAll(() => void execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'fadump-test', folder]))
  afterAll(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })

  it('exits with 5; log and report are there, nothing that looks like a whole dump is', () => {
    const { exitCode, out, err } = fadump(['save', source, folder])
    expect({ exitCode, out }).toEqual({ exitCode: 5, out: '' })
    expect(err).toContain('no space left on the device')
    expect(err).toContain('hint      vmcore-dmesg.txt and analysis.txt could be saved; the dump was not\n')
    const place = join(folder, 'fixture-2026-11-23-15:20:18')
    expect(readdirSync(place).sort()).toEqual(['analysis.txt', 'vmcore-dmesg.txt'])
    expect(readFileSync(join(place, 'vmcore-dmesg.txt'), 'utf8')).toContain('sysrq: Trigger a crash')
  })
})
