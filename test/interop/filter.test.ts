// Dumps that we filtered, read by the programs of the field. Debian's crash, drgn and makedumpfile know
// Linux 6.1; the source is a file that makedumpfile wrote, so nothing of ours is in the expected values.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { FilterOptions, FilterResult } from '../../src/core/filter/index.ts'
import { filterToFile } from '../../src/core/filter/output.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, describeWithPython, runJudge, runPython } from './judge.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')
const release = '6.1.0-55-cloud-amd64'
const forms = [
  ['kdump, zlib', { format: 'kdump', codec: 'zlib' }],
  ['kdump, raw', { format: 'kdump' }],
  ['kdump, flattened', { format: 'kdump', codec: 'zlib', flattened: true }],
  ['ELF', { format: 'elf' }],
  ['ELF, flattened', { format: 'elf', flattened: true }],
] as const

async function filter(output: string, options: Partial<FilterOptions> = {}): Promise<FilterResult> {
  using dump = openDump(source)
  return filterToFile(dump, output, { format: 'kdump', level: 31, ...options })
}

describeWithJudge('makedumpfile', 'makedumpfile', () => {
  it('filters our kdump file into the same bytes as its own', async () => {
    const folder = makeFolder()
    await filter(join(folder, 'ours'), { codec: 'zlib' })
    for (const [from, to] of [
      [join(folder, 'ours'), 'from-ours'],
      [source, 'from-source'],
    ] as const) {
      runJudge('makedumpfile', ['-c', '-d', '31', from, join(folder, to)])
    }
    const [ours, theirs] = ['from-ours', 'from-source'].map((name) => readFileSync(join(folder, name)))
    expect(Buffer.compare(ours as Buffer, theirs as Buffer)).toBe(0)
  })

  it.each([
    ['kdump', { codec: 'zlib' }],
    ['ELF', { format: 'elf' }],
  ] as const)('puts a flattened %s together to the bytes of the direct one', async (_, options) => {
    const folder = makeFolder()
    await filter(join(folder, 'direct'), options)
    await filter(join(folder, 'flat'), { ...options, flattened: true })
    runJudge('makedumpfile', ['-R', join(folder, 'together')], readFileSync(join(folder, 'flat')))
    const [direct, together] = ['direct', 'together'].map((name) => readFileSync(join(folder, name)))
    expect(Buffer.compare(direct as Buffer, together as Buffer)).toBe(0)
  })
})

describeWithJudge('crash', 'crash', () => {
  it.each(forms)('finds the kernel of a dump written as %s', async (_, options) => {
    const output = join(makeFolder(), 'vmcore')
    await filter(output, options)
    expect(runJudge('crash', ['--osrelease', output]).toString()).toBe(`${release}\n`)
  })
})

describeWithJudge('readelf', 'readelf', () => {
  it('sees a core file with one PT_NOTE, then PT_LOADs, and the notes of both CPUs', async () => {
    const output = join(makeFolder(), 'vmcore')
    await filter(output, { format: 'elf' })
    const headers = runJudge('readelf', ['-lW', output]).toString()
    const types = [...headers.matchAll(/^ {2}(NOTE|LOAD|[A-Z_]+) +0x/gm)].map((match) => match[1])
    expect(types[0]).toBe('NOTE')
    expect(new Set(types.slice(1))).toEqual(new Set(['LOAD']))
    const notes = runJudge('readelf', ['-nW', output]).toString()
    expect(notes.match(/NT_PRSTATUS/g)).toHaveLength(2)
  })
})

/** Every page frame that either file has, read by physical address; excluded pages are left out. */
const drgnScript = `
import hashlib, json, sys, drgn
program = drgn.Program()
program.set_core_dump(sys.argv[1])
digest = hashlib.sha256()
for pfn in json.load(sys.stdin):
    digest.update(program.read(pfn * 4096, 4096, True))
print(json.dumps({'platform': str(program.platform.arch), 'kernel': bool(program.flags & drgn.ProgramFlags.IS_LINUX_KERNEL),
    'release': program['UTS_RELEASE'].string_().decode(), 'sha256': digest.hexdigest()}))
`

describeWithPython('drgn', 'drgn', () => {
  // Debian's libkdumpfile 0.5.1 does not know flattened files.
  it.each(forms.filter(([name]) => !name.includes('flattened')))(
    'reads every page of a dump written as %s',
    async (_, options) => {
      const output = join(makeFolder(), 'vmcore')
      await filter(output, options)
      using dump = openDump(source)
      const stored = dump.memory.storedPages(4096)
      const digest = createHash('sha256')
      const page = new Uint8Array(4096)
      const pfns: number[] = []
      for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1)) {
        pfns.push(pfn)
        dump.memory.read(pfn * 4096, page)
        digest.update(page)
      }
      const facts = JSON.parse(runPython(drgnScript, [output], Buffer.from(JSON.stringify(pfns))).toString())
      expect(facts).toEqual({
        platform: 'Architecture.X86_64',
        kernel: true,
        release,
        sha256: digest.digest('hex'),
      })
    },
  )
})
