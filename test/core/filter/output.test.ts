import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { FilterOptions } from '../../../src/core/filter/index.ts'
import { checkOutput, filterToFile, filterToStream } from '../../../src/core/filter/output.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { makeFolder } from '../../make/folder.ts'

const small = fixture('x86_64-7.2-small/vmcore')
const options: FilterOptions = { format: 'kdump', codec: 'zlib', level: 31 }

describe('filterToFile', () => {
  it('leaves one file of mode 0600 that is as long as it says', async () => {
    const folder = makeFolder()
    const output = join(folder, 'out')
    using dump = openDump(small)
    const result = await filterToFile(dump, output, options)
    expect(readdirSync(folder)).toEqual(['out'])
    expect(statSync(output).mode & 0o777).toBe(0o600)
    expect(statSync(output).size).toBe(result.outputSize)
    expect(result).toMatchObject({ source: small, output, level: 31, incomplete: false, warnings: [] })
  })

  it('replaces a file only when told to', async () => {
    const output = join(makeFolder(), 'out')
    writeFileSync(output, 'mine')
    using dump = openDump(small)
    await expect(filterToFile(dump, output, options)).rejects.toMatchObject({ code: 'TARGET' })
    expect(readFileSync(output, 'utf8')).toBe('mine')
    await filterToFile(dump, output, { ...options, force: true })
    expect(statSync(output).size).toBeGreaterThan(1000)
  })

  it('leaves nothing when it fails', async () => {
    const folder = makeFolder()
    using dump = openDump(small)
    const abort = new AbortController()
    const failing = { ...options, signal: abort.signal, onProgress: () => abort.abort() }
    await expect(filterToFile(dump, join(folder, 'out'), failing)).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
    expect(readdirSync(folder)).toEqual([])
  })

  it('never replaces its own source', async () => {
    const path = join(makeFolder(), 'vmcore')
    writeFileSync(path, readFileSync(small))
    using dump = openDump(path)
    await expect(filterToFile(dump, path, { ...options, force: true })).rejects.toThrow('is read from')
    expect(statSync(path).size).toBe(statSync(small).size)
  })
})

describe('a dump that is cut before its memory map', () => {
  it('says so, and which levels need no map', async () => {
    const folder = makeFolder()
    const cut = join(folder, 'cut')
    writeFileSync(cut, readFileSync(small).subarray(0, 60_000_000))
    using dump = openDump(cut)
    await expect(filterToFile(dump, join(folder, 'out'), options)).rejects.toMatchObject({
      code: 'KERNEL',
      message: expect.stringContaining(`${cut} is cut short`),
      hint: 'dump levels 0 and 1 copy what is there',
    })
    const result = await filterToFile(dump, join(folder, 'out'), { ...options, level: 1 })
    expect(result).toMatchObject({ incomplete: true, level: 1 })
  })
})

describe('checkOutput', () => {
  it.each([
    ['a page less', 'number of pages reads back as 8177, not 8178', (file: Buffer) => clearFirstBit(file)],
    ['other page data', "the kernel's name reads back as ", (file: Buffer) => file.fill(0xff, 2 ** 20)],
  ])('refuses %s', async (_, message, damage) => {
    const output = join(makeFolder(), 'out')
    using dump = openDump(small)
    const result = await filterToFile(dump, output, options)
    expect(() => checkOutput(dump, output, output, result)).not.toThrow()
    const file = readFileSync(output)
    damage(file)
    writeFileSync(output, file)
    expect(() => checkOutput(dump, output, output, result)).toThrow(message)
  })

  /** Of the second bitmap: behind header, sub-header with 4832 bytes of notes, and 32768 bits. */
  function clearFirstBit(file: Buffer): void {
    const bitmap2 = (1 + 2 + 1) * 4096
    const byte = file.findIndex((value, at) => at >= bitmap2 && value !== 0)
    file[byte] = (file[byte] as number) & ((file[byte] as number) - 1)
  }
})

describe.each(['kdump', 'elf'] as const)('a flattened %s', (format) => {
  it('describes the bytes of the direct output, in a file and in a stream', async () => {
    const folder = makeFolder()
    using dump = openDump(small)
    const work = { ...options, format, codec: format === 'elf' ? undefined : options.codec } as const
    await filterToFile(dump, join(folder, 'direct'), work)
    const direct = readFileSync(join(folder, 'direct'))
    await filterToFile(dump, join(folder, 'flat'), { ...work, flattened: true })
    const chunks: Buffer[] = []
    const stream = new Writable({
      write(chunk: Buffer, _, done) {
        chunks.push(Buffer.from(chunk))
        done()
      },
    })
    const result = await filterToStream(dump, stream, work)
    expect(result).toMatchObject({ flattened: true, output: 'standard output' })
    expect(Buffer.compare(Buffer.concat(chunks), readFileSync(join(folder, 'flat')))).toBe(0)
    using flat = openDump(join(folder, 'flat'))
    expect(flat.container).toBe('flattened')
    const bytes = new Uint8Array(flat.source.size)
    flat.source.read(0, bytes)
    expect(Buffer.compare(bytes, direct)).toBe(0)
  })

  it('fails when its reader has gone', async () => {
    using dump = openDump(small)
    const gone = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })),
    })
    await expect(filterToStream(dump, gone, { ...options, format })).rejects.toMatchObject({
      code: 'TARGET',
      message: 'standard output: the program that reads it has ended',
    })
  })
})
