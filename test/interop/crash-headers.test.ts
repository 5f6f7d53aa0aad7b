// crash without debugging information cannot start a session, but with -d1 it lists all that it finds in
// the headers, VMCOREINFO included.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NoSpaceError } from '../../src/core/errors.ts'
import type { FilterOptions } from '../../src/core/filter/index.ts'
import { filterToFile } from '../../src/core/filter/output.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')

async function filter(options: Partial<FilterOptions & { readonly sizeLimit: number }>): Promise<string> {
  const output = join(makeFolder(), 'vmcore')
  using dump = openDump(source)
  await filterToFile(dump, output, { format: 'kdump', level: 31, ...options })
  return output
}

/** Its listing, but for places in its own memory. */
const seenIn = (path: string): string[] =>
  runJudge('crash', ['-d1', '--osrelease', path])
    .toString()
    .replace(/ page_cache_hdr\[0\].*/s, '')
    .split('\n')
    .filter((line) => !inCrash.test(line))

const inCrash =
  /^ *(filename|ofp|header|sub_header_kdump|notes_buf|notes\[\d+\]|bitmap|dumpable_bitmap|compressed_page): /

describeWithJudge('crash', 'crash', () => {
  describeWithJudge('makedumpfile', 'and makedumpfile', () => {
    it.each([
      ['raw', [], {}],
      ['zlib', ['-c'], { codec: 'zlib' }],
      ['lzo', ['-l'], { codec: 'lzo' }],
    ] as const)('sees the same headers in a file of each, %s', async (_, args, options) => {
      const theirs = join(makeFolder(), 'theirs')
      runJudge('makedumpfile', [...args, '-d', '31', source, theirs])
      const seen = seenIn(theirs)
      expect(seen.length).toBeGreaterThan(100)
      expect(seenIn(await filter(options))).toEqual(seen)
    })
  })

  it.each(['kdump', 'elf'] as const)('finds the build id and no fault in a %s file', async (format) => {
    const text = seenIn(await filter({ format })).join('\n')
    const [buildId] = /BUILD-ID=[0-9a-f]{40}\n/.exec(readFileSync(source, 'latin1')) ?? []
    expect(text).toContain(buildId ?? 'no build id in the source')
    expect(text).not.toMatch(/warning|invalid|inconsisten|incomplete/i)
  })

  it('says that a file of a full disk is incomplete', async () => {
    const output = join(makeFolder(), 'vmcore')
    using dump = openDump(source)
    const work = { format: 'kdump', codec: 'zlib', level: 31, sizeLimit: 8_000_000 } as const
    await expect(filterToFile(dump, output, work)).rejects.toBeInstanceOf(NoSpaceError)
    expect(seenIn(`${output}.incomplete`).join('\n')).toMatch(/status: .*INCOMPLETE/)
  })
})
