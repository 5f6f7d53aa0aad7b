// What is made of a kernel's symbols and types, beside the note that the same kernel wrote.

import { describe, expect, it } from 'vitest'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'
import { openDump } from '../../../src/formats/index.ts'
import { fixture } from '../../fixtures/index.ts'
import { vmcoreinfoText } from '../../make/vmcoreinfo-text.ts'

/** A pointer since Linux 4.15: the note has what it points to. */
const pointed = 'SYMBOL(mem_section)'

describe('VMCOREINFO made of symbols and types', () => {
  it.each([
    'ppc64le-7.2-fadump/vmcore',
    'x86_64-7.2-small/vmcore',
    'arm64-7.2-debian/vmcore',
    'x86_64-6.1-debian/vmcore.kdump',
  ] as const)("says what the kernel's own note says: %s", (path) => {
    using dump = openDump(fixture(path))
    const kernel = openKernel(dump)
    const own = kernel.vmcoreinfo
    const made = new Vmcoreinfo(vmcoreinfoText(kernel))
    const shared = made.keys().filter((key) => own.get(key) !== undefined && key !== pointed)
    expect(shared.length).toBeGreaterThan(80)
    for (const key of shared) {
      const name = /^SYMBOL\((.*)\)$/.exec(key)?.[1]
      if (name === undefined) expect(`${key}=${made.get(key)}`).toBe(`${key}=${own.get(key)}`)
      else expect(made.symbol(name), name).toBe((own.symbol(name) ?? 0n) - own.kernelOffset)
    }
    // Everything that filtering takes of types is there; types of pages were macros up to Linux 6.10.
    const unknown = path.includes('6.1-')
      ? ['BUDDY', 'OFFLINE'].map((type) => `NUMBER(PAGE_${type}_MAPCOUNT_VALUE)`)
      : []
    const needed = /^(SIZE|OFFSET)\((page|list_head|mem_section|printk|prb)|^NUMBER\(P(G_|AGE_)/
    const missing = own.keys().filter((key) => needed.test(key) && made.get(key) === undefined)
    expect(missing).toEqual(unknown)
  })
})
