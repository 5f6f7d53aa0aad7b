// Pages that our ELF file does not hold: its segments claim more memory than they have data.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Bitmap } from '../../src/core/bitmap.ts'
import { filterToFile } from '../../src/core/filter/output.ts'
import { readDumpPages } from '../../src/core/kernel/dump-pages.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, describeWithPython, runJudge, runPython } from './judge.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')

async function toElf(): Promise<string> {
  const output = join(makeFolder(), 'vmcore.elf')
  using dump = openDump(source)
  await filterToFile(dump, output, { format: 'elf', level: 31 })
  return output
}

describeWithJudge('makedumpfile', 'makedumpfile and we', () => {
  it('leave out of an ELF file at level 0 just what it does not hold, in the same bytes', async () => {
    const elf = await toElf()
    runJudge('makedumpfile', ['-d', '0', elf, `${elf}.theirs`])
    using dump = openDump(elf)
    await filterToFile(dump, `${elf}.ours`, { format: 'kdump', level: 0 })
    const [ours, theirs] = ['ours', 'theirs'].map((name) => readFileSync(`${elf}.${name}`)) as [
      Buffer,
      Buffer,
    ]
    expect(Buffer.compare(ours, theirs)).toBe(0)
    using filtered = openDump(`${elf}.theirs`)
    const stored = dump.memory.storedPages(4096)
    expect(Buffer.compare(filtered.memory.storedPages(4096).bytes, stored.bytes)).toBe(0)
    expect(stored.count()).toBeLessThan(20_000)
  })
})

describeWithJudge('readelf', 'readelf', () => {
  it('sees segments that cover all memory of the source and never more data than memory', async () => {
    const lines = runJudge('readelf', ['-lW', await toElf()]).toString()
    const loads = [
      ...lines.matchAll(/^ {2}LOAD +0x\w+ +0x\w+ +(0x\w+) +(0x\w+) +(0x\w+) +RWE +(\w+)$/gm),
    ].map(([, ...fields]) => fields.map(Number) as [number, number, number, number])
    expect(loads.length).toBeGreaterThan(10)
    using dump = openDump(source)
    let [covered, end] = [0, 0]
    for (const [start, fileSize, memorySize, align] of loads) {
      expect(start).toBeGreaterThanOrEqual(end)
      expect(fileSize).toBeLessThanOrEqual(memorySize)
      expect(align).toBe(0)
      end = start + memorySize
      covered += memorySize
    }
    expect(covered).toBe(dump.memory.ranges.reduce((sum, range) => sum + range.end - range.start, 0))
  })
})

/** A digest of the pages that are there, and how many of the others read as zeros or not at all. */
const script = `
import hashlib, json, os, sys
os.environ['DRGN_USE_LIBKDUMPFILE_FOR_ELF'] = sys.argv[2]
import drgn
program = drgn.Program()
program.set_core_dump(sys.argv[1])
asked = json.load(sys.stdin)
digest = hashlib.sha256()
for pfn in asked['present']:
    digest.update(program.read(pfn * 4096, 4096, True))
zeros = faults = 0
for pfn in asked['absent']:
    try:
        zeros += program.read(pfn * 4096, 4096, True) == bytes(4096)
    except drgn.FaultError:
        faults += 1
print(json.dumps({'sha256': digest.hexdigest(), 'zeros': zeros, 'faults': faults}))
`

const pfnsOf = (pages: Bitmap): number[] =>
  [...pages.runs()].flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i))

describeWithPython('drgn', 'drgn', () => {
  it.each([
    ['alone finds zeros', '0'],
    ['through libkdumpfile finds no memory', '1'],
  ])(
    'reads the pages of the source in our ELF file; where it has none, drgn %s',
    async (_, useLibkdumpfile) => {
      const elf = await toElf()
      using output = openDump(elf)
      const { existing, stored } = readDumpPages(output.memory, 4096)
      const present = pfnsOf(stored)
      const absent = pfnsOf(existing).filter((pfn) => !stored.has(pfn))
      expect(absent.length).toBeGreaterThan(50_000)
      const read = (path: string, ...pfns: number[][]) => {
        const asked = { present: pfns[0] ?? [], absent: pfns[1] ?? [] }
        return JSON.parse(
          runPython(script, [path, useLibkdumpfile], Buffer.from(JSON.stringify(asked))).toString(),
        )
      }
      const { sha256, zeros, faults } = read(elf, present, absent)
      expect(sha256).toBe(read(source, present).sha256)
      expect(zeros + faults).toBe(absent.length)
      if (useLibkdumpfile === '0') expect(faults).toBe(0)
      // libkdumpfile 0.5.1 has zeros for the last page of a segment when another follows.
      else expect(zeros).toBeLessThan(output.segments.length)
    },
  )
})
