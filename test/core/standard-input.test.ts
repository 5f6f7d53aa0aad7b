import { execFileSync, spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { FileSource, readUpTo } from '../../src/core/byte-source.ts'
import { FormatError, TargetError } from '../../src/core/errors.ts'
import { openStandardInput } from '../../src/core/standard-input.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'input-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** A descriptor from which `bytes` come through a pipe. */
function pipe(bytes: Uint8Array): number {
  const path = join(folder, 'pipe')
  writeFileSync(join(folder, 'file'), bytes)
  execFileSync('sh', ['-c', 'mkfifo "$1"', 'sh', path])
  spawn('sh', ['-c', 'cat "$1" > "$2"', 'sh', join(folder, 'file'), path], { stdio: 'ignore' })
  return openSync(path, 'r')
}

const bytes = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >>> 8)

describe('standard input', () => {
  it('is read at random when it is a pipe, and its copy has no name', () => {
    const spool = mkdtempSync(join(folder, 'spool-'))
    vi.stubEnv('TMPDIR', spool)
    const descriptor = pipe(bytes)
    using source = openStandardInput(descriptor)
    closeSync(descriptor)
    expect(readdirSync(spool)).toEqual([])
    expect(source.name).toBe('standard input')
    expect(source.size).toBe(bytes.length)
    expect(Buffer.compare(readUpTo(source, 1_234_567, 1000), bytes.subarray(1_234_567, 1_235_567))).toBe(0)
    using again = new FileSource(source.path)
    expect(Buffer.compare(readUpTo(again, 0, bytes.length), bytes)).toBe(0)
  })

  it('is not copied when it is a file', () => {
    vi.stubEnv('TMPDIR', '/nonexistent')
    const path = join(folder, 'file')
    writeFileSync(path, bytes)
    const descriptor = openSync(path, 'r')
    using source = openStandardInput(descriptor)
    closeSync(descriptor)
    expect(Buffer.compare(readUpTo(source, 10, 10), bytes.subarray(10, 20))).toBe(0)
  })

  it('is no bug of ours when it is a directory', () => {
    const descriptor = openSync(folder, 'r')
    expect(() => openStandardInput(descriptor)).toThrow(FormatError)
    closeSync(descriptor)
  })

  it('says what to do where no copy can be made', () => {
    vi.stubEnv('TMPDIR', '/nonexistent')
    const descriptor = pipe(bytes.subarray(0, 10))
    expect(() => openStandardInput(descriptor)).toThrow(TargetError)
    expect(() => openStandardInput(descriptor)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/TMPDIR/) }),
    )
    closeSync(descriptor)
  })
})
