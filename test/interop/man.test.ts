import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { describeWithJudge, runJudge } from './judge.ts'

const folder = join(import.meta.dirname, '../../man')

describeWithJudge('mandoc', 'mandoc finds no fault in the manual', () => {
  it.each(readdirSync(folder))('%s', (page) => {
    const complaints = runJudge('mandoc', ['-T', 'lint', '-W', 'warning', join(folder, page)])
    expect(complaints.toString()).toBe('')
  })
})
