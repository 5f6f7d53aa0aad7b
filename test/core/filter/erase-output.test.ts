// Two dumps that differ in a secret alone give the same bytes when it is erased: so it is nowhere in the
// output, not in packed pages, not in headers, not between the parts of the file.

import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eraseDump } from '../../../src/core/filter/erase.ts'
import { parseEraseConfig } from '../../../src/core/filter/erase-config.ts'
import { type FilterOptions, filterDump } from '../../../src/core/filter/index.ts'
import { filterToFile, filterToStream } from '../../../src/core/filter/output.ts'
import { reassemble } from '../../../src/core/filter/reassemble.ts'
import { filterToParts } from '../../../src/core/filter/split.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { findVmcoreinfo } from '../../../src/formats/elf/notes.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { makeFolder } from '../../make/folder.ts'
import { makeMemorySink } from '../../make/memory-sink.ts'

const config = parseEraseConfig(
  'erase saved_command_line\nerase init_task.comm size 4\nerase prb nullify\n',
  'my.conf',
)
const info = (length: number): string =>
  `erase saved_command_line size ${length}\nerase init_task.comm size 4\nerase prb nullify\n`

/** Two sources with the same memory but for `saved_command_line`, and how long that is. */
let sources: readonly [string, string]
let length = 0

const folder = mkdtempSync(join(tmpdir(), 'fadump-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

beforeAll(async () => {
  const small = join(folder, 'small')
  using original = openDump(fixture('x86_64-7.2-small/vmcore'))
  await filterToFile(original, small, { format: 'elf', level: 31, threads: 0 })
  using dump = openDump(small)
  using erased = eraseDump(dump, config)
  const [line] = erased.erased?.parts ?? []
  const { start = 0, end = 0 } = line?.ranges[0] ?? {}
  length = end - start
  const segment = dump.segments.find(
    ({ physical, fileSize }) => start >= physical && end <= physical + fileSize,
  )
  const offset = (segment?.offset ?? 0) + start - (segment?.physical ?? 0)
  sources = ['a', 'b'].map((letter) => {
    const path = join(folder, letter)
    copyFileSync(small, path)
    const secret = Buffer.from(`${letter}`.repeat(length))
    const fd = openSync(path, 'r+')
    writeSync(fd, secret, 0, length, offset)
    closeSync(fd)
    return path
  }) as unknown as readonly [string, string]
})

async function filter(path: string, options: Partial<FilterOptions>, isErased = true): Promise<Uint8Array> {
  using dump = openDump(path)
  const sink = makeMemorySink()
  const source = isErased ? eraseDump(dump, config) : dump
  await filterDump(source, sink, { level: 31, format: 'kdump', threads: 0, ...options })
  return sink.bytes()
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

describe('an erased secret', () => {
  it.each([
    ['lzo', { codec: 'lzo' }],
    ['zlib, two threads', { codec: 'zlib', threads: 2 }],
    ['raw pages', {}],
    ['ELF', { format: 'elf' }],
    ['no page left out', { level: 0 }],
  ] as const)('is nowhere in the output: %s', async (_, options) => {
    const [a, b] = await Promise.all(sources.map((source) => filter(source, options)))
    expect(same(a as Uint8Array, b as Uint8Array)).toBe(true)
    expect(Buffer.from(a as Uint8Array).includes('a'.repeat(length))).toBe(false)
  })

  it('is in the output when it is not erased', async () => {
    const [a, b] = await Promise.all(sources.map((source) => filter(source, {}, false)))
    expect(same(a as Uint8Array, b as Uint8Array)).toBe(false)
    expect(Buffer.from(a as Uint8Array).includes('a'.repeat(length))).toBe(true)
  })

  it('is nowhere in a flattened stream', async () => {
    const outputs = await Promise.all(
      sources.map(async (source) => {
        using dump = openDump(source)
        const chunks: Uint8Array[] = []
        const stream = new Writable({
          write(chunk: Uint8Array, __, done) {
            chunks.push(Buffer.from(chunk))
            done()
          },
        })
        await filterToStream(eraseDump(dump, config), stream, {
          format: 'kdump',
          level: 31,
          codec: 'lzo',
          threads: 0,
        })
        return Buffer.concat(chunks)
      }),
    )
    expect(same(outputs[0] as Buffer, outputs[1] as Buffer)).toBe(true)
  })

  it('is nowhere in the parts of a split dump, and what was erased is told when they are put together', async () => {
    const parts = makeFolder()
    const wholes = await Promise.all(
      sources.map(async (source, i) => {
        using dump = openDump(source)
        const paths = [0, 1].map((n) => join(parts, `${i}.${n}`))
        const options = { level: 31, codec: 'lzo', threads: 0, unit: 64 * 4096 } as const
        await filterToParts(eraseDump(dump, config), paths, options)
        await reassemble(paths, join(parts, `${i}`))
        return [...paths, join(parts, `${i}`)].map((path) => readFileSync(path))
      }),
    )
    for (const [i, bytes] of (wholes[0] ?? []).entries())
      expect(same(bytes, wholes[1]?.[i] as Buffer)).toBe(true)
    using whole = openDump(join(parts, '0'))
    expect(whole.eraseInfo.split('\n').sort()).toEqual(info(length).split('\n').sort())
  })
})

describe('what was erased', () => {
  const written = async (
    path: string,
    options: Partial<FilterOptions>,
    wiped = true,
  ): Promise<[string, Dump]> => {
    const output = join(makeFolder(), 'vmcore')
    using dump = openDump(path)
    const source = wiped ? eraseDump(dump, config) : dump
    await filterToFile(source, output, { level: 31, format: 'kdump', threads: 0, ...options })
    return [output, openDump(output)]
  }

  it.each(['kdump', 'elf'] as const)(
    'is told in a %s file, and kept by the next filter in either format',
    async (format) => {
      const [path, first] = await written(sources[0], { format })
      expect(first.eraseInfo).toBe(info(length))
      for (const next of ['kdump', 'elf'] as const) {
        const [, second] = await written(path, { format: next }, false)
        expect(second.eraseInfo).toBe(info(length))
        expect(second.notes.filter(({ name }) => name === 'ERASEINFO')).toHaveLength(next === 'elf' ? 1 : 0)
        expect(findVmcoreinfo(second.notes)).toBe(first.vmcoreinfo)
      }
    },
  )

  it('comes after what earlier filters erased', async () => {
    const [path] = await written(sources[0], {})
    // The command line is X now, as long as before; the pointer to the log is NULL already.
    const [, second] = await written(path, {})
    expect(second.eraseInfo).toBe(info(length) + info(length))
  })

  it('is told once when a dump is split from which something was erased before', async () => {
    const [path] = await written(sources[0], {})
    const folder = makeFolder()
    const paths = [0, 1, 2].map((n) => join(folder, `${n}`))
    using dump = openDump(path)
    await filterToParts(dump, paths, { level: 31, threads: 0, unit: 64 * 4096 })
    using parts = openDump(paths)
    expect(parts.eraseInfo).toBe(info(length))
    await reassemble(paths, join(folder, 'whole'))
    using whole = openDump(join(folder, 'whole'))
    expect(whole.eraseInfo).toBe(info(length))
  })

  it('is only what the output would have had', async () => {
    // The page of the command line is the kernel's and stays at every level; memory that no page has is not told.
    using dump = openDump(sources[0])
    const sink = makeMemorySink()
    const erased = eraseDump(dump, config)
    const parts = (erased.erased?.parts ?? []).map((part) => ({
      ...part,
      ranges: [{ start: 2 ** 45, end: 2 ** 45 + 8 }],
    }))
    const edits = erased.erased?.edits as NonNullable<Dump['erased']>['edits']
    await filterDump({ ...erased, erased: { edits, parts } }, sink, {
      level: 31,
      format: 'kdump',
      threads: 0,
    })
    expect(Buffer.from(sink.bytes()).includes('erase saved_command_line')).toBe(false)
  })

  it('does not depend on the dump when nothing was', async () => {
    const bytes = await filter(sources[0], {}, false)
    expect(Buffer.from(bytes).includes('ERASEINFO')).toBe(false)
  })
})

describe('the kernel’s name', () => {
  it('is erased in the header of a kdump file too, but for the machine', async () => {
    const output = join(makeFolder(), 'vmcore')
    using dump = openDump(sources[0])
    const erased = eraseDump(dump, parseEraseConfig('erase init_uts_ns.name', 'my.conf'))
    await filterToFile(erased, output, { level: 31, format: 'kdump', threads: 0 })
    using written = openDump(output)
    expect(written.kdump?.utsname).toMatchObject({
      nodename: 'X'.repeat(65),
      release: 'X'.repeat(65),
      machine: 'x86_64',
    })
  })
})
