// `makedumpfile -E` and our ELF output of the same core, byte for byte: where holes are cut out, where
// they are too short for it, and what the headers say of it. Left aside is the p_offset of segments that
// have no data: makedumpfile writes 0 there, which crash up to 8 takes for the size of the headers.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filterToFile } from '../../src/core/filter/output.ts'
import { openDump } from '../../src/formats/index.ts'
import { makeElfCore, makePrstatus } from '../make/elf-core.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const pageSize = 4096
const base = 0xffff_8880_0000_0000n

/** Pages of memory as runs: positive numbers of pages with data, negative ones of zero pages. */
function memoryOf(runs: readonly number[]): Uint8Array {
  const parts = runs.map((run, i) => new Uint8Array(Math.abs(run) * pageSize).fill(run < 0 ? 0 : i + 1))
  return Buffer.concat(parts)
}

interface Part {
  readonly at: number
  readonly runs: readonly number[]
  /** Bytes of a page that come before the first whole one. */
  readonly head?: number
}

function coreOf(parts: readonly Part[]): Uint8Array {
  const segments = parts.map(({ at, runs, head = 0 }) => ({
    physical: at - head,
    virtual: base + BigInt(at - head),
    data: Buffer.concat([new Uint8Array(head).fill(0xee), memoryOf(runs)]),
  }))
  return makeElfCore({ noteAreas: [makePrstatus(336)], segments })
}

const far = 0x100_0000

const cases: [string, Part[]][] = [
  ['no zero page', [{ at: 0, runs: [300] }]],
  ['a hole of 255 pages', [{ at: 0, runs: [10, -255, 10] }]],
  ['a hole of 256 pages', [{ at: 0, runs: [10, -256, 10] }]],
  ['holes of all sizes', [{ at: 0, runs: [1, -300, 1, -5, 2, -256, 3, -255, 1] }]],
  ['a hole at the beginning', [{ at: 0, runs: [-400, 10] }]],
  ['a short hole at the end', [{ at: 0, runs: [100, -3] }]],
  ['a long hole at the end', [{ at: 0, runs: [100, -400] }]],
  [
    'nothing but zeros',
    [
      { at: 0, runs: [50] },
      { at: far, runs: [-300] },
    ],
  ],
  [
    'two segments',
    [
      { at: 0, runs: [10, -300, 10] },
      { at: far, runs: [-256, 20, -7] },
    ],
  ],
  [
    'a segment that begins inside a page',
    [
      { at: 0, runs: [20] },
      { at: far, head: 0x7b0, runs: [-300, 20, -256, 1] },
    ],
  ],
]

/** The file with the p_offset of segments without data set to 0. */
function withoutIdleOffsets(file: Buffer): Buffer {
  const copy = Buffer.from(file)
  for (let i = 0; i < copy.readUInt16LE(56); i++) {
    const header = copy.subarray(64 + i * 56)
    if (header.readBigUInt64LE(32) === 0n) header.writeBigUInt64LE(0n, 8)
  }
  return copy
}

describeWithJudge('makedumpfile', 'makedumpfile -E -d 1', () => {
  it.each(cases)('writes the same bytes for %s', async (_, parts) => {
    const folder = makeFolder()
    const source = join(folder, 'core')
    writeFileSync(source, coreOf(parts))
    runJudge('makedumpfile', ['-E', '-d', '1', source, join(folder, 'theirs')])
    using dump = openDump(source)
    await filterToFile(dump, join(folder, 'ours'), { format: 'elf', level: 1 })
    const [theirs, ours] = ['theirs', 'ours'].map((name) => readFileSync(join(folder, name))) as [
      Buffer,
      Buffer,
    ]
    expect(ours.length).toBe(theirs.length)
    expect(Buffer.compare(withoutIdleOffsets(ours), withoutIdleOffsets(theirs))).toBe(0)
  })
})
