// libkdumpfile, which drgn reads kdump files with, and our reader, on the same files.

import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { describeWithPython, runPython } from './judge.ts'

const script = `
import hashlib, json, sys, kdumpfile
dump = kdumpfile.kdumpfile(file=sys.argv[1])
size = dump.attr['arch.page_size']
last = dump.attr['max_pfn'] - 1
bits = dump.attr['file.pagemap'].get_bits(0, last)
digest = hashlib.sha256()
pages = 0
for pfn in range(last + 1):
    if bits[pfn >> 3] >> (pfn & 7) & 1:
        digest.update(dump.read(kdumpfile.KDUMP_MACHPHYSADDR, pfn * size, size))
        pages += 1
facts = {'format': 'file.format', 'arch': 'arch.name', 'release': 'linux.uts.release', 'cpus': 'cpu.number'}
print(json.dumps({**{k: dump.attr[v] for k, v in facts.items()}, 'pageSize': size, 'maxPfn': last + 1,
    'pages': pages, 'sha256': digest.hexdigest()}))
`

describeWithPython('kdumpfile', 'libkdumpfile', () => {
  it('sees the same machine and the same pages in a kdump file of Linux 6.1', () => {
    const path = fixture('x86_64-6.1-debian/vmcore.kdump')
    const theirs: unknown = JSON.parse(runPython(script, [path]).toString())
    using dump = openDump(path)
    const pageSize = dump.pageSize ?? 0
    const stored = dump.memory.storedPages(pageSize)
    const digest = createHash('sha256')
    const page = new Uint8Array(pageSize)
    for (let pfn = stored.next(0); pfn >= 0; pfn = stored.next(pfn + 1)) {
      dump.memory.read(pfn * pageSize, page)
      digest.update(page)
    }
    expect(theirs).toEqual({
      format: 'diskdump',
      arch: 'x86_64',
      release: dump.kdump?.utsname.release,
      cpus: dump.kdump?.cpuCount,
      pageSize,
      maxPfn: stored.length,
      pages: stored.count(),
      sha256: digest.digest('hex'),
    })
  })
})
