// A kdump file of a big-endian machine, written here, read by libkdumpfile.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { abi64be } from '../../src/core/struct.ts'
import { filterBytes } from '../make/filtered.ts'
import { makeFolder } from '../make/folder.ts'
import { makeKdump } from '../make/kdump.ts'
import { samplePage } from '../make/sample-page.ts'
import { describeWithPython, runPython } from './judge.ts'

const script = `
import hashlib, json, sys, kdumpfile
dump = kdumpfile.kdumpfile(file=sys.argv[1])
last = dump.attr['max_pfn'] - 1
bits = bytes(dump.attr['file.pagemap'].get_bits(0, last))
pages = [pfn for pfn in range(last + 1) if bits[pfn >> 3] >> (pfn & 7) & 1]
digest = hashlib.sha256()
for pfn in pages:
    digest.update(dump.read(kdumpfile.KDUMP_MACHPHYSADDR, pfn * 4096, 4096))
print(json.dumps({'arch': dump.attr['arch.name'], 'order': dump.attr['arch.byte_order'],
    'pages': pages, 'sha256': digest.hexdigest()}))
`

describeWithPython('kdumpfile', 'libkdumpfile', () => {
  it.each([
    ['zlib', 'zlib'],
    ['lzo', 'lzo'],
    ['no codec', undefined],
  ] as const)('reads our file of an s390x machine, packed by %s', async (_, codec) => {
    const contents = [samplePage(), samplePage().reverse(), new Uint8Array(4096), samplePage().fill(7, 9)]
    const pfns = [0, 1, 2, 11]
    const source = makeKdump({
      abi: abi64be,
      machine: 's390x',
      pages: pfns.map((pfn, i) => ({ pfn, data: contents[i] as Uint8Array })),
      maxMapnr: 20,
      sub: { dumpLevel: 0 },
    })
    const path = join(makeFolder(), 'vmcore')
    writeFileSync(path, (await filterBytes(source, { codec })).bytes)
    expect(JSON.parse(runPython(script, [path]).toString())).toEqual({
      arch: 's390x',
      // Big endian.
      order: 0,
      pages: pfns,
      sha256: createHash('sha256').update(Buffer.concat(contents)).digest('hex'),
    })
  })
})
