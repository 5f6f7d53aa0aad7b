// Disks that fail under the built program: the C library's calls are tampered with (failing-disk.c).

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { openDump } from '../../src/formats/index.ts'
import { fadump, program } from '../cli/program.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const source = fixture('x86_64-7.2-small/vmcore')
const pageSize = 4096
const errno = { EIO: 5, ENOSPC: 28, EDQUOT: 122 } as const

type Failure = Readonly<Record<string, string | number>>

let library: string | undefined
function shim(): string {
  if (library !== undefined) return library
  library = join(mkdtempSync(join(tmpdir(), 'failing-disk-')), 'failing-disk.so')
  const code = join(import.meta.dirname, 'failing-disk.c')
  runJudge('gcc', ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, code, '-ldl'])
  return library
}

afterAll(() => {
  if (library !== undefined) rmSync(dirname(library), { recursive: true })
})

const environment = (failure: Failure): Record<string, string> => ({
  LD_PRELOAD: shim(),
  ...Object.fromEntries(Object.entries(failure).map(([name, value]) => [`FAIL_${name}`, `${value}`])),
})

function filter(args: readonly string[], failure: Failure) {
  const folder = makeFolder()
  const output = join(folder, 'out')
  const run = fadump(['filter', '-d', '1', ...args, source, output], { env: environment(failure) })
  return { ...run, output, left: readdirSync(folder) }
}

/** Offset in the file, and page frame, of a page that is kept and is not zero. */
function findPage(): { offset: number; pfn: number } {
  using dump = openDump(source)
  const page = new Uint8Array(pageSize)
  const segment = dump.segments.find(({ memorySize }) => memorySize > 2 ** 26)
  if (segment === undefined) throw new Error('no large segment')
  for (let pfn = segment.physical / pageSize + 5000; ; pfn++) {
    dump.memory.read(pfn * pageSize, page)
    if (page.some((byte) => byte !== 0 && byte !== 0x5a)) {
      return { pfn, offset: segment.offset + pfn * pageSize - segment.physical }
    }
  }
}

const reading = { FILE: basename(source), CALL: 'pread64' }
const writing = { FILE: '.out.incomplete', CALL: 'pwrite64' }

describeWithJudge('gcc', 'a source that cannot be read everywhere', () => {
  it.each([0, 2])('loses only the pages of the bad sectors, %i threads', (threads) => {
    const { offset, pfn } = findPage()
    const failure = { ...reading, ERRNO: errno.EIO, FROM: offset + 100, TO: offset + 101 }
    const { exitCode, err, output } = filter(['-c', '-j', `${threads}`], failure)
    expect(err).toContain('1 pages could not be read')
    expect(exitCode).toBe(6)
    using dump = openDump(output)
    expect(dump.warnings.map(({ code }) => code)).toEqual(['INCOMPLETE'])
    const page = new Uint8Array(pageSize)
    expect(() => dump.memory.read(pfn * pageSize, page)).toThrow(/cut short or damaged/)
    for (const neighbour of [pfn - 1, pfn + 1]) dump.memory.read(neighbour * pageSize, page)
  })

  it('keeps what was read before it was truncated', () => {
    const { offset, pfn } = findPage()
    const { exitCode, output } = filter(['-c'], { ...reading, ERRNO: 0, FROM: offset })
    expect(exitCode).toBe(6)
    using dump = openDump(output)
    dump.memory.read((pfn - 1) * pageSize, new Uint8Array(pageSize))
    expect(() => dump.memory.read(pfn * pageSize, new Uint8Array(pageSize))).toThrow(/cut short or damaged/)
  })

  it('may give its bytes in small pieces', () => {
    const [small, whole] = [filter([], { ...reading, SHORT: 1000 }), filter([], {})]
    expect([small.exitCode, whole.exitCode]).toEqual([0, 0])
    expect(Buffer.compare(readFileSync(small.output), readFileSync(whole.output))).toBe(0)
  })
})

describeWithJudge('gcc', 'a destination that fails', () => {
  it.each(['ENOSPC', 'EDQUOT'] as const)('with %s keeps what fits', (name) => {
    const { exitCode, err, left, output } = filter(['-c'], {
      ...writing,
      ERRNO: errno[name],
      FROM: 4_000_000,
    })
    expect(err).toContain('no space left on the device')
    expect(exitCode).toBe(5)
    expect(left).toEqual(['out.incomplete'])
    using dump = openDump(`${output}.incomplete`)
    expect(dump.warnings.map(({ code }) => code)).toEqual(['INCOMPLETE'])
    expect(dump.memory.storedPages(pageSize).count()).toBeGreaterThan(2000)
  })

  it.each([
    ['a write', { ...writing, ERRNO: errno.EIO, AFTER: 8 }],
    ['the last flush', { ...writing, CALL: 'fsync', ERRNO: errno.EIO }],
  ])('with EIO at %s leaves nothing', (_, failure) => {
    const { exitCode, err, left } = filter(['-c'], failure)
    expect(err).toMatch(/error: .*out: EIO: i\/o error/)
    expect(exitCode).toBe(5)
    expect(left).toEqual([])
  })

  it('may take its bytes in small pieces', () => {
    const [small, whole] = [filter(['-E'], { ...writing, SHORT: 10_000 }), filter(['-E'], {})]
    expect([small.exitCode, whole.exitCode]).toEqual([0, 0])
    expect(Buffer.compare(readFileSync(small.output), readFileSync(whole.output))).toBe(0)
  })
})

describeWithJudge('gcc', 'a filter that is interrupted', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s leaves nothing and exits with 130', async (signal) => {
    const folder = makeFolder()
    const output = join(folder, 'out')
    const child = spawn(process.execPath, [program, 'filter', '-d', '1', source, output], {
      env: { PATH: process.env.PATH, ...environment({ ...writing, SLEEP: 50_000 }) },
      stdio: 'ignore',
    })
    while (!existsSync(join(folder, '.out.incomplete'))) await new Promise((done) => setTimeout(done, 10))
    child.kill(signal)
    const [exitCode] = await once(child, 'exit')
    expect(exitCode).toBe(130)
    expect(readdirSync(folder)).toEqual([])
  })
})
