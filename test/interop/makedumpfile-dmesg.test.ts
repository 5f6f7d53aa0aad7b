// `makedumpfile --dump-dmesg` and our own text in its style, of the same dump.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { dumpDmesg } from '../../src/core/kernel/dump-dmesg.ts'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

describeWithJudge('makedumpfile', 'makedumpfile --dump-dmesg', () => {
  it.each([[], ['--partial-dmesg']])('writes the same bytes for a kdump file of Linux 6.1', (...options) => {
    const path = fixture('x86_64-6.1-debian/vmcore.kdump')
    const output = join(makeFolder(), 'dmesg')
    runJudge('makedumpfile', ['--dump-dmesg', ...options, path, output])
    const theirs = readFileSync(output, 'latin1')
    using dump = openDump(path)
    const { bytes } = dumpDmesg(openKernel(dump), { sinceClear: options.length > 0 })
    const ours = Buffer.from(bytes).toString('latin1')
    expect(ours.split('\n').length).toBeGreaterThan(400)
    // Versions before 1.7.5 do not say who wrote a record.
    const says = /^\S+ +\S+ \[ *[TC]\d+\]/.test(theirs)
    const silent = ours.replace(/^(\[ *\d+\.\d+\]) \[ *[TC]\d+\]/gm, '$1').replace(/^ {26}/gm, ' '.repeat(15))
    expect(says ? ours : silent).toBe(theirs)
  })
})
