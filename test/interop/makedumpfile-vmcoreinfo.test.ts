// makedumpfile with a text file of ours instead of the note (-i), as -g writes it from a vmlinux.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { vmcoreinfoText } from '../make/vmcoreinfo-text.ts'
import { describeWithJudge, runJudge } from './judge.ts'

describeWithJudge('makedumpfile', 'makedumpfile -i', () => {
  it('filters by our text into the same bytes as by the note of the kernel', () => {
    const source = fixture('x86_64-6.1-debian/vmcore.kdump')
    const folder = makeFolder()
    const [info, byText, byNote] = ['info', 'by-text', 'by-note'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ]
    using dump = openDump(source)
    writeFileSync(info, vmcoreinfoText(openKernel(dump)))
    runJudge('makedumpfile', ['-l', '-d', '31', '-i', info, source, byText])
    runJudge('makedumpfile', ['-l', '-d', '31', source, byNote])
    expect(readFileSync(byText).equals(readFileSync(byNote))).toBe(true)
  })
})
