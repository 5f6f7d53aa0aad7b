import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ByteSink } from '../../../src/core/byte-sink.ts'
import { FormatError, TargetError } from '../../../src/core/errors.ts'
import { type Crash, saveCrash } from '../../../src/core/save/index.ts'
import { parseTarget } from '../../../src/core/save/target.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'fadump-save-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const folder = 'fixture-2026-11-23-15:20:31'

/** A crash whose dump is `size` bytes, the header written last as kdump writers do. */
function makeCrash(size = 5000, changes: Partial<Crash<string>> = {}): Crash<string> {
  return {
    folder,
    readLog: () => ({ text: '[    0.000000] Linux\n' }),
    async writeDump(sink: ByteSink) {
      const chunk = new Uint8Array(64 * 1024).fill(7)
      for (let at = 100; at < size; at += chunk.length) {
        await sink.write(at, chunk.subarray(0, Math.min(chunk.length, size - at)))
      }
      await sink.write(0, new Uint8Array(100).fill(1))
      await sink.finish(size)
      return 'written'
    },
    readReport: () => ({ text: 'report\n' }),
    ...changes,
  }
}

const save = (crash: Crash<string>, target = directory) => saveCrash(parseTarget(target), crash)
const modeOf = (path: string): number => statSync(path).mode & 0o777

describe('save to a directory', () => {
  it('stores log, dump, report and checksums, readable by nobody else', async () => {
    const result = await save(makeCrash())
    const place = join(directory, folder)
    expect(result).toMatchObject({ location: place, dump: 'written', warnings: [] })
    expect(result.files.map((file) => file.name)).toEqual(['vmcore-dmesg.txt', 'vmcore', 'analysis.txt'])
    expect(readdirSync(place).sort()).toEqual(['SHA256SUMS', 'analysis.txt', 'vmcore', 'vmcore-dmesg.txt'])
    expect(modeOf(place)).toBe(0o700)
    for (const name of readdirSync(place)) expect(modeOf(join(place, name)), name).toBe(0o600)
  })

  it('writes checksums that sha256sum accepts', async () => {
    const { location } = await save(makeCrash())
    const report = execFileSync('sha256sum', ['--check', 'SHA256SUMS'], { cwd: location, encoding: 'utf8' })
    expect(report).toBe('vmcore-dmesg.txt: OK\nvmcore: OK\nanalysis.txt: OK\n')
  })

  it('has the log under its name before the dump begins, and the dump under none until it is whole', async () => {
    const seen: string[][] = []
    const crash = makeCrash()
    await save({
      ...crash,
      async writeDump(sink) {
        const result = await crash.writeDump(sink)
        seen.push(readdirSync(join(directory, folder)).sort())
        return result
      },
    })
    expect(seen).toEqual([['.vmcore.incomplete', 'vmcore-dmesg.txt']])
  })

  it('never writes into the directory of another crash', async () => {
    await save(makeCrash())
    const second = await save(makeCrash(6000))
    expect(second.location).toBe(join(directory, `${folder}-2`))
    expect(statSync(join(directory, folder, 'vmcore')).size).toBe(5000)
    expect(statSync(join(second.location, 'vmcore')).size).toBe(6000)
  })

  it('makes the directories above, closed to others', async () => {
    const result = await save(makeCrash(), join(directory, 'var/crash'))
    expect(modeOf(join(directory, 'var'))).toBe(0o700)
    expect(result.location).toBe(join(directory, 'var/crash', folder))
  })

  it('saves the dump when the log cannot be read, and says so', async () => {
    const readLog = (): never => {
      throw new FormatError({ file: 'vmcore', field: 'log' })
    }
    const result = await save(makeCrash(5000, { readLog }))
    expect(result.warnings).toEqual([{ code: 'FORMAT', message: 'no vmcore-dmesg.txt: vmcore: log' }])
    expect(result.files.map((file) => file.name)).toEqual(['vmcore', 'analysis.txt'])
  })

  it('saves what there is of a log and says what is missing', async () => {
    const readLog = () => ({ text: '[    0.000000] Linux\n', missing: '3 records could not be read' })
    const result = await save(makeCrash(5000, { readLog }))
    expect(result.warnings).toEqual([
      { code: 'PARTIAL', message: 'vmcore-dmesg.txt: 3 records could not be read' },
    ])
    expect(statSync(join(result.location, 'vmcore-dmesg.txt')).size).toBe(21)
  })

  it('leaves the log and nothing that looks whole when the dump cannot be read', async () => {
    const writeDump = async (sink: ByteSink): Promise<string> => {
      await sink.write(0, new Uint8Array(10))
      throw new FormatError({ file: 'vmcore', field: 'read' })
    }
    await expect(save(makeCrash(0, { writeDump }))).rejects.toThrow(FormatError)
    expect(readdirSync(join(directory, folder))).toEqual(['vmcore-dmesg.txt'])
  })

  it('refuses a target that is a file', async () => {
    const file = join(directory, 'file')
    writeFileSync(file, '')
    await expect(save(makeCrash(), file)).rejects.toThrow(TargetError)
  })

  it('refuses a kind of target that it does not know', () => {
    expect(() => parseTarget('gopher://host/dir')).toThrow('no way to save to gopher://host/dir')
  })
})

const canMount = process.getuid?.() === 0 && spawnSync('mount', ['-V']).status === 0

describe.skipIf(!canMount)('a full disk (mounts a file system of 1 MiB, which needs root)', () => {
  beforeEach(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'fadump-test', directory])
  })
  afterEach(() => {
    execFileSync('umount', [directory])
  })

  it('leaves the log and the report, says which, and nothing that looks whole', async () => {
    const failure = save(makeCrash(4 * 2 ** 20))
    await expect(failure).rejects.toThrow('no space left on the device')
    await expect(failure).rejects.toMatchObject({
      exitCode: 5,
      hint: 'vmcore-dmesg.txt and analysis.txt could be saved; the dump was not',
    })
    const place = join(directory, folder)
    expect(readdirSync(place).sort()).toEqual(['analysis.txt', 'vmcore-dmesg.txt'])
    expect(readFileSync(join(place, 'vmcore-dmesg.txt'), 'utf8')).toBe('[    0.000000] Linux\n')
  })

  it('leaves no part of a log that does not fit', async () => {
    const failure = save(makeCrash(5000, { readLog: () => ({ text: 'x'.repeat(2 * 2 ** 20) }) }))
    await expect(failure).rejects.toMatchObject({ exitCode: 5 })
    expect(readdirSync(join(directory, folder))).toEqual([])
  })
})
