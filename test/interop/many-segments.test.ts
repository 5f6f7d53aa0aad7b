// An ELF file of ours with more segments than its header can count, which keeps the number in section 0.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openDump } from '../../src/formats/index.ts'
import { makeElfCore, makePrstatus } from '../make/elf-core.ts'
import { type Filtered, filterBytes } from '../make/filtered.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, describeWithPython, runJudge, runPython } from './judge.ts'

const count = 66_000
const base = 0xffff_8880_0000_0000n

const asked = [0, 1, 65_533, 65_534, count - 1]
const addressOf = (i: number): number => 2 * i * 4096
const contentOf = (i: number): Buffer => Buffer.alloc(4096, `segment ${i} `)
const expected = asked.map((i) => contentOf(i).toString('latin1'))

const core = makeElfCore({
  noteAreas: [makePrstatus(336)],
  segments: Array.from({ length: count }, (_, i) => ({
    physical: addressOf(i),
    virtual: base + BigInt(addressOf(i)),
    data: asked.includes(i) ? contentOf(i) : new Uint8Array(0),
    memorySize: 4096,
  })),
  manyHeaders: true,
})

let filtered: Promise<Filtered> | undefined

async function writeMany(): Promise<string> {
  const path = join(makeFolder(), 'many')
  filtered ??= filterBytes(core, { format: 'elf' })
  writeFileSync(path, (await filtered).bytes)
  return path
}

const addresses = (): Buffer => Buffer.from(JSON.stringify(asked.map(addressOf)))
const pythonRead = (read: string): string => `
import json, sys
${read}
print(json.dumps([bytes(read(address)).decode() for address in json.load(sys.stdin)]))
`

describeWithJudge('makedumpfile', 'makedumpfile', () => {
  it('finds the data among 66,000 segments', async () => {
    const many = await writeMany()
    runJudge('makedumpfile', ['-d', '0', many, `${many}.kdump`])
    using dump = openDump(`${many}.kdump`)
    expect([...dump.memory.storedPages(4096).runs()].map(({ start }) => start * 4096)).toEqual(
      asked.map(addressOf),
    )
    const page = Buffer.alloc(4096)
    for (const [n, i] of asked.entries()) {
      dump.memory.read(addressOf(i), page)
      expect(page.toString('latin1')).toBe(expected[n])
    }
  })
})

describeWithJudge('crash', 'crash', () => {
  it('counts 66,000 segments', async () => {
    const many = await writeMany()
    const { stdout } = spawnSync('crash', ['-d1', '--osrelease', many], { maxBuffer: 2 ** 26 })
    expect(stdout.toString()).toContain(`num_pt_load_segments: ${count}\n`)
  })
})

describeWithJudge('gdb', 'gdb', () => {
  it('reads the first and the last of 66,000 segments', async () => {
    const many = await writeMany()
    const reads = asked.flatMap((i) => ['-ex', `x/s ${base + BigInt(addressOf(i))}`])
    const shown = runJudge('gdb', ['-q', '-batch', '-ex', `core-file ${many}`, ...reads]).toString()
    const texts = [...shown.matchAll(/^0xffff888[0-9a-f]+:\s+"(segment \d+) /gm)].map(([, text]) => text)
    expect(texts).toEqual(asked.map((i) => `segment ${i}`))
  })
})

describeWithPython('drgn', 'drgn', () => {
  it('reads the first and the last of 66,000 segments', async () => {
    const many = await writeMany()
    const read =
      'import drgn\nprogram = drgn.Program()\nprogram.set_core_dump(sys.argv[1])\nread = lambda a: program.read(a, 4096, True)'
    expect(JSON.parse(runPython(pythonRead(read), [many], addresses()).toString())).toEqual(expected)
  })
})

describeWithPython('kdumpfile', 'libkdumpfile', () => {
  it('reads the first and the last of 66,000 segments', async () => {
    const many = await writeMany()
    const read =
      'import kdumpfile\ndump = kdumpfile.kdumpfile(file=sys.argv[1])\nread = lambda a: dump.read(kdumpfile.KDUMP_MACHPHYSADDR, a, 4096)'
    expect(JSON.parse(runPython(pythonRead(read), [many], addresses()).toString())).toEqual(expected)
  })
})
