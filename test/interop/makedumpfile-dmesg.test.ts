// `makedumpfile --dump-dmesg` and our own text in its style, of the same dump.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makedumpfileStyle, renderDmesg } from '../../src/core/kernel/dmesg.ts'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { readLog } from '../../src/core/kernel/printk.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

describeWithJudge('makedumpfile', 'makedumpfile --dump-dmesg', () => {
  it('writes the same bytes for a kdump file of Linux 6.1', () => {
    const path = fixture('x86_64-6.1-debian/vmcore.kdump')
    const output = join(makeFolder(), 'dmesg')
    runJudge('makedumpfile', ['--dump-dmesg', path, output])
    using dump = openDump(path)
    const text = renderDmesg(readLog(openKernel(dump)).records, makedumpfileStyle)
    expect(text.split('\n').length).toBeGreaterThan(400)
    expect(text).toBe(readFileSync(output, 'latin1'))
  })
})
