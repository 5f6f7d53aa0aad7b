// libkdumpfile, which drgn reads kdump files with, and our reader and writer, on the same files.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { codecList } from '../../src/core/codecs/index.ts'
import { NoSpaceError } from '../../src/core/errors.ts'
import { filterToFile } from '../../src/core/filter/output.ts'
import { withVmcoreinfo } from '../../src/core/kernel/search-vmcoreinfo.ts'
import { PageBatch } from '../../src/core/page-batch.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { openDump } from '../../src/formats/index.ts'
import { dumpFolder, fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { type MadePage, makeKdump } from '../make/kdump.ts'
import { samplePage } from '../make/sample-page.ts'
import { describeWithPython, runPython } from './judge.ts'

// A page without data in the file is an error there; its number is counted as lost.
const script = `
import hashlib, json, sys, kdumpfile
dump = kdumpfile.kdumpfile(file=sys.argv[1])
size = dump.attr['arch.page_size']
last = dump.attr['max_pfn'] - 1
def pagemap(name):
    bits = bytearray(dump.attr[name].get_bits(0, last))
    return hashlib.sha256(bytes(bits)).hexdigest(), bits
stored, bits = pagemap('file.pagemap')
digest = hashlib.sha256()
pages = lost = 0
for pfn in range(last + 1):
    if bits[pfn >> 3] >> (pfn & 7) & 1:
        try:
            digest.update(dump.read(kdumpfile.KDUMP_MACHPHYSADDR, pfn * size, size))
            pages += 1
        except kdumpfile.exceptions.CorruptException:
            lost += 1
facts = {'format': 'file.format', 'arch': 'arch.name', 'release': 'linux.uts.release', 'cpus': 'cpu.number'}
print(json.dumps({**{k: dump.attr.get(v) for k, v in facts.items()}, 'pageSize': size, 'maxPfn': last + 1,
    'pages': pages, 'lost': lost, 'stored': stored, 'exists': pagemap('memory.pagemap')[0],
    'sha256': digest.hexdigest()}))
`

const theirs = (path: string): Record<string, unknown> => JSON.parse(runPython(script, [path]).toString())

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The digest of all pages that a dump holds. */
function pagesOf({ memory }: Dump, pageSize: number): { readonly pages: number; readonly sha256: string } {
  const stored = memory.storedPages(pageSize)
  const digest = createHash('sha256')
  const page = new Uint8Array(pageSize)
  for (const { start, end } of stored.runs()) {
    for (let pfn = start; pfn < end; pfn++) {
      memory.read(pfn * pageSize, page)
      digest.update(page)
    }
  }
  return { pages: stored.count(), sha256: digest.digest('hex') }
}

function facts(dump: Dump, arch: string) {
  const pageSize = dump.pageSize ?? 0
  return {
    format: 'diskdump',
    arch,
    release: dump.kdump?.utsname.release,
    cpus: dump.kdump?.cpuCount,
    pageSize,
    maxPfn: dump.kdump?.maxMapnr,
    lost: 0,
    ...pagesOf(dump, pageSize),
  }
}

const archOf = {
  'x86_64-7.2-small': 'x86_64',
  'arm64-7.2-debian': 'aarch64',
  'ppc64le-7.2-fadump': 'ppc64',
} as const

/** How many of the addresses in a list of translations hold the same eight bytes by either way of asking. */
const addressScript = `
import sys, kdumpfile
dump = kdumpfile.kdumpfile(file=sys.argv[1])
dump.attr['addrxlat.ostype'] = 'linux'
same = other = 0
for line in open(sys.argv[2]):
    virtual, physical = line.split()
    if physical == 'unmapped':
        continue
    try:
        right = dump.read(kdumpfile.KDUMP_MACHPHYSADDR, int(physical, 16) & ~7, 8)
    except kdumpfile.exceptions.NoDataException:
        continue
    if dump.read(kdumpfile.KDUMP_KVADDR, int(virtual, 16) & ~7, 8) == right:
        same += 1
    else:
        other += 1
print(dump.attr['arch.name'], dump.attr['linux.uts.release'], same > 20, other)
`

describeWithPython('kdumpfile', 'libkdumpfile', () => {
  it('finds pages and virtual addresses in a kdump file that we made of s390x', async () => {
    const output = join(makeFolder(), 'vmcore')
    using source = openDump(fixture('s390x-6.1-debian/vmcore'))
    await filterToFile(withVmcoreinfo(source), output, { format: 'kdump', codec: 'zlib', level: 31 })
    const list = join(dumpFolder, 's390x-6.1-debian/expected/qemu-gva2gpa.txt')
    const answer = runPython(addressScript, [output, list]).toString()
    expect(answer).toBe('s390x 6.1.0-50-s390x True 0\n')
  })

  it('sees the same machine and the same pages in a kdump file of Linux 6.1', () => {
    const path = fixture('x86_64-6.1-debian/vmcore.kdump')
    using dump = openDump(path)
    expect(theirs(path)).toMatchObject(facts(dump, 'x86_64'))
  })

  it.each(
    codecList.flatMap(({ name }) => [
      ['x86_64-7.2-small', name] as const,
      [name === 'zlib' || name === 'lzo' ? 'ppc64le-7.2-fadump' : 'arm64-7.2-debian', name] as const,
    ]),
  )('finds the pages of %s in our file packed by %s', async (name, codec) => {
    const output = join(makeFolder(), 'vmcore')
    using source = openDump(fixture(`${name}/vmcore`))
    const result = await filterToFile(source, output, { format: 'kdump', codec, level: 31 })
    using dump = openDump(output)
    const seen = theirs(output)
    expect(seen).toMatchObject(facts(dump, archOf[name]))
    expect(seen.pages).toBe(result.storedPages)
    expect(seen.sha256).toBe(pagesOf(dump, result.pageSize).sha256)
  })

  it('reads a file whose pages were packed by every codec in turn', () => {
    const batch = new PageBatch(4096)
    const pages = Array.from({ length: 40 }, (_, i): MadePage => {
      const page = samplePage()
      page.fill(i, i * 100, i * 100 + 50)
      const flag = [0, ...codecList.map((codec) => codec.flag)][i % 5] ?? 0
      return { pfn: 3 * i, data: pack(batch, flag, page), flags: flag }
    })
    const path = join(makeFolder(), 'vmcore')
    const utsname = {
      sysname: 'Linux',
      nodename: 'n',
      release: '6.1',
      version: '#1',
      machine: 'x86_64',
      domainname: 'd',
    }
    writeFileSync(path, makeKdump({ pages, maxMapnr: 200, header: { utsname } }))
    using dump = openDump(path)
    expect(theirs(path)).toMatchObject({ ...pagesOf(dump, 4096), lost: 0, pages: 40 })
  })

  it('misses just the lost pages of our incomplete file', async () => {
    const output = join(makeFolder(), 'vmcore')
    using source = openDump(fixture('x86_64-7.2-small/vmcore'))
    const work = { format: 'kdump', codec: 'zlib', level: 31, sizeLimit: 3_000_000 } as const
    await expect(filterToFile(source, output, work)).rejects.toBeInstanceOf(NoSpaceError)
    using dump = openDump(`${output}.incomplete`)
    const { pages, sha256: digest } = pagesOf(dump, 4096)
    expect(theirs(`${output}.incomplete`)).toMatchObject({ pages, sha256: digest, lost: 8178 - pages })
  })

  it('has our two bitmaps', async () => {
    const output = join(makeFolder(), 'vmcore')
    using source = openDump(fixture('x86_64-7.2-small/vmcore'))
    await filterToFile(source, output, { format: 'kdump', level: 31 })
    using dump = openDump(output)
    const { bytes } = dump.memory.storedPages(4096).resized(dump.kdump?.maxMapnr ?? 0)
    const seen = theirs(output)
    expect(seen.stored).toBe(sha256(bytes))
    // By hand: RAM is 0-0x9fbff and 1 MiB to 96 MiB, in part reserved by firmware, but all of it in the source.
    const exists = dump.memory.ranges
    expect(seen.exists).toBe(sha256(bitsOf(exists, dump.kdump?.maxMapnr ?? 0)))
  })
})

function pack(batch: PageBatch, flag: number, page: Uint8Array): Uint8Array {
  if (flag === 0) return page
  if (batch.canPack(flag)) {
    batch.pages.set(page)
    return batch.pack(flag, page.length, new Int32Array(1), false).slice()
  }
  const packed = new Uint8Array(page.length)
  const size = codecList.find((codec) => codec.flag === flag)?.makeCompressor?.()(page, packed) ?? 0
  return packed.subarray(0, size)
}

/** Pages that any of these bytes are in, one bit each. */
function bitsOf(ranges: Dump['memory']['ranges'], pages: number): Uint8Array {
  const bits = new Uint8Array(Math.ceil(pages / 8))
  for (const { start, end } of ranges) {
    for (let pfn = Math.floor(start / 4096); pfn * 4096 < end && pfn < pages; pfn++) {
      bits[pfn >> 3] = (bits[pfn >> 3] ?? 0) | (1 << (pfn & 7))
    }
  }
  return bits
}
