import { execFileSync } from 'node:child_process'
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TargetError } from '../../src/core/errors.ts'
import { fileSink, OutputFile } from '../../src/core/output-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fadump-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('output file', () => {
  it('has its name only when committed, and mode 0600', () => {
    const path = join(folder, 'vmcore')
    const file = new OutputFile(path)
    file.write(2, Buffer.from('cd'))
    file.write(0, Buffer.from('ab'))
    expect(readdirSync(folder)).toEqual(['.vmcore.incomplete'])
    file.commit()
    file[Symbol.dispose]()
    expect(readdirSync(folder)).toEqual(['vmcore'])
    expect(readFileSync(path, 'latin1')).toBe('abcd')
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('leaves nothing behind when it is given up', () => {
    const file = new OutputFile(join(folder, 'vmcore'))
    file.write(0, Buffer.from('half'))
    file[Symbol.dispose]()
    expect(readdirSync(folder)).toEqual([])
  })

  it('does not touch an existing file unless forced', () => {
    const path = join(folder, 'vmcore')
    writeFileSync(path, 'precious')
    expect(() => new OutputFile(path)).toThrow(TargetError)
    expect(readFileSync(path, 'latin1')).toBe('precious')
    const file = new OutputFile(path, { force: true })
    file.write(0, Buffer.from('new'))
    expect(readFileSync(path, 'latin1')).toBe('precious')
    file.commit()
    expect(readFileSync(path, 'latin1')).toBe('new')
  })

  it('refuses a directory and a place that is not there', () => {
    mkdirSync(join(folder, 'd'))
    expect(() => new OutputFile(join(folder, 'd'), { force: true })).toThrow('is a directory')
    expect(() => new OutputFile(join(folder, 'none', 'vmcore'))).toThrow(TargetError)
    writeFileSync(join(folder, 'file'), '')
    expect(() => new OutputFile(join(folder, 'file', 'vmcore'))).toThrow(TargetError)
  })

  it('does not replace a pipe or a link to a directory, even when forced', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    symlinkSync(folder, join(folder, 'link'))
    expect(() => new OutputFile(join(folder, 'pipe'), { force: true })).toThrow('is not a regular file')
    expect(() => new OutputFile(join(folder, 'link'), { force: true })).toThrow('is a directory')
  })

  it('does not replace a file that appeared while it was written', () => {
    const path = join(folder, 'vmcore')
    using file = new OutputFile(path)
    writeFileSync(path, 'precious')
    expect(() => file.commit()).toThrow('exists already')
    expect(readFileSync(path, 'latin1')).toBe('precious')
  })

  it('closes its descriptor once: the number may be another file by then', () => {
    const file = new OutputFile(join(folder, 'vmcore'))
    rmSync(file.temporaryPath)
    expect(() => file.commit()).toThrow(TargetError)
    const next = openSync(folder, 'r')
    file[Symbol.dispose]()
    expect(fstatSync(next).isDirectory()).toBe(true)
    closeSync(next)
  })
})

describe('a file that cannot be made', () => {
  it('is named as it was asked for, with the reason', () => {
    const path = join(folder, 'missing/vmcore')
    expect(() => new OutputFile(path)).toThrow(
      expect.objectContaining({
        message: `${path}: its directory does not exist`,
        hint: 'make the directory first',
      }),
    )
  })
})

describe('a file as a sink', () => {
  it('does not lose an error of the flush that goes on beside the writing', async () => {
    using file = new OutputFile(join(folder, 'vmcore'))
    file.flush = () => Promise.reject(new TargetError('vmcore', 'EIO: i/o error, fdatasync'))
    const sink = fileSink(file)
    const piece = new Uint8Array(2 ** 24)
    for (let i = 0; i < 4; i++) await sink.write(i * piece.length, piece)
    await expect(sink.finish(4 * piece.length)).rejects.toThrow('EIO: i/o error, fdatasync')
  })

  it('is flushed while it is written', async () => {
    using file = new OutputFile(join(folder, 'vmcore'))
    const flush = vi.spyOn(file, 'flush')
    const sink = fileSink(file)
    await sink.write(0, new Uint8Array(2 ** 25))
    await sink.finish(2 ** 25)
    expect(flush).toHaveBeenCalledOnce()
  })
})
