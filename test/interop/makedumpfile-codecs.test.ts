// One dump whose pages are packed in different ways: the parts of a split dump, each by another codec, put
// together.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filterToParts } from '../../src/core/filter/split.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')
const unit = 2 ** 21
/** Debian's makedumpfile was built without the other codecs. */
const codecs = ['zlib', 'lzo', undefined] as const

/** Part n packed by codec n, and how many pages each part has. */
async function makeMixed(
  folder: string,
): Promise<{ readonly path: string; readonly pages: readonly number[] }> {
  const parts: string[] = []
  const pages: number[] = []
  for (const [i, codec] of codecs.entries()) {
    const outputs = codecs.map((_, part) => join(folder, `${codec}-${part}`))
    using dump = openDump(source)
    const result = await filterToParts(dump, outputs, { level: 31, unit, codec })
    const part = outputs[i] as string
    // Parts of one dump have one header, the codec in it; readers go by the flags of each page.
    const header = readFileSync(parts[0] ?? part).subarray(0, 4096)
    writeFileSync(part, Buffer.concat([header, readFileSync(part).subarray(4096)]))
    parts.push(part)
    pages.push(result.parts[i]?.storedPages ?? 0)
  }
  const path = join(folder, 'mixed')
  runJudge('makedumpfile', ['--reassemble', ...parts, path])
  return { path, pages }
}

describeWithJudge('makedumpfile', 'makedumpfile', () => {
  it('unpacks each page of a file by its own codec: zlib, lzo, none', async () => {
    const folder = makeFolder()
    const { path, pages } = await makeMixed(folder)
    expect(Math.min(...pages)).toBeGreaterThan(100)
    runJudge('makedumpfile', ['-d', '31', path, `${path}.raw`])
    runJudge('makedumpfile', ['-d', '31', source, join(folder, 'raw')])
    expect(Buffer.compare(readFileSync(`${path}.raw`), readFileSync(join(folder, 'raw')))).toBe(0)
  })
})
