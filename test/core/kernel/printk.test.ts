// The log of real kernels, against what drgn printed of the same memory. drgn prints no caller ids and
// repeats no prefix on the later lines of a record, where the kernel does: so this comparison does not.

import { describe, expect, it } from 'vitest'
import { callerStyle, type DmesgStyle, kernelStyle, renderDmesg } from '../../../src/core/kernel/dmesg.ts'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import { isPartial, readLog } from '../../../src/core/kernel/printk.ts'
import { openDump } from '../../../src/formats/index.ts'
import { type DrgnFacts, expectedJson, type FixtureCase, fixture, fixtureText } from '../../fixtures/index.ts'

const drgnStyle: DmesgStyle = { ...kernelStyle, continuation: () => '' }

const logOf = (path: `${FixtureCase}/${string}`) => readLog(openKernel(openDump(fixture(path))))

describe('the log of a real kernel', () => {
  it.each([
    ['ppc64le-7.2-fadump', 'vmcore', 203],
    ['x86_64-7.2-small', 'vmcore', 295],
    ['arm64-7.2-debian', 'vmcore', 281],
    ['x86_64-6.1-debian', 'vmcore.kdump', 402],
  ] as const)('%s: text as drgn prints it', (name, file, count) => {
    const log = logOf(`${name}/${file}`)
    expect(renderDmesg(log.records, drgnStyle)).toBe(expectedJson<DrgnFacts>(name, 'drgn.json').dmesg)
    expect(log.records).toHaveLength(count)
    expect(isPartial(log)).toBe(false)
  })

  it('every line has the time and caller the console showed', () => {
    const shown = fixtureText('ppc64le-7.2-fadump', 'console.txt')
      .split(/\r?\n/)
      .filter((line) => /^\[ {3}15\.19\d+\]/.test(line))
    const text = renderDmesg(logOf('ppc64le-7.2-fadump/vmcore').records, callerStyle)
    expect(shown.length).toBeGreaterThan(30)
    expect(text.split('\n').filter((line) => shown.includes(line))).toEqual(shown)
  })
})
