// Split dumps, ours and makedumpfile's, put together by each other.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { reassemble } from '../../src/core/filter/reassemble.ts'
import { filterToParts } from '../../src/core/filter/split.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')
const unitKiB = 32 * 1024
const count = 3

const names = (folder: string, prefix: string): string[] =>
  Array.from({ length: count }, (_, i) => join(folder, `${prefix}${i}`))

async function ours(folder: string, options: { readonly level: number } = { level: 31 }) {
  const outputs = names(folder, 'ours')
  using dump = openDump(source)
  const result = await filterToParts(dump, outputs, { ...options, unit: unitKiB * 1024 })
  return { outputs, result }
}

function theirs(folder: string, level = 31): string[] {
  const outputs = names(folder, 'theirs')
  const unit = ['--splitblock-size', `${unitKiB}`]
  runJudge('makedumpfile', ['--split', ...unit, '-d', `${level}`, source, ...outputs])
  return outputs
}

const same = (a: string, b: string): boolean => Buffer.compare(readFileSync(a), readFileSync(b)) === 0

describeWithJudge('makedumpfile', 'makedumpfile --split', () => {
  it.each([31, 30])('writes the same parts, byte for byte, at level %i', async (level) => {
    const folder = makeFolder()
    const { outputs, result } = await ours(folder, { level })
    expect(result.parts.filter(({ storedPages }) => storedPages > 0).length).toBeGreaterThan(1)
    for (const [i, part] of theirs(folder, level).entries()) {
      expect(same(outputs[i] as string, part), `part ${i}`).toBe(true)
    }
  })

  it('puts our parts together as we do', async () => {
    const folder = makeFolder()
    const { outputs } = await ours(folder)
    await reassemble(outputs, join(folder, 'ours'))
    runJudge('makedumpfile', ['--reassemble', ...outputs, join(folder, 'theirs')])
    expect(same(join(folder, 'ours'), join(folder, 'theirs'))).toBe(true)
  })

  it('has its parts put together by us as it does', async () => {
    const folder = makeFolder()
    const outputs = theirs(folder)
    await reassemble(outputs, join(folder, 'ours'))
    runJudge('makedumpfile', ['--reassemble', ...outputs, join(folder, 'theirs')])
    expect(same(join(folder, 'ours'), join(folder, 'theirs'))).toBe(true)
  })
})

describeWithJudge('crash', 'crash', () => {
  it('opens our parts as one dump', async () => {
    const { outputs } = await ours(makeFolder())
    expect(runJudge('crash', ['--osrelease', ...outputs]).toString()).toContain('6.1.0-55-cloud-amd64')
  })
})
