// `makedumpfile --vtop` and our own translation, page table entries and all.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openKernel } from '../../src/core/kernel/kernel.ts'
import { renderTranslation, translateAddress } from '../../src/core/kernel/vtop.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const path = fixture('x86_64-6.1-debian/vmcore.kdump')

/** Addresses of the image, the direct map, vmalloc and vmemmap, as the dump itself names them. */
const names = ['_stext', 'init_uts_ns', 'swapper_pg_dir', 'mem_section', 'node_online_map'] as const

describeWithJudge('makedumpfile', 'makedumpfile --vtop', () => {
  it.each(names)('prints the same for %s', (name) => {
    using dump = openDump(path)
    const kernel = openKernel(dump)
    const address = kernel.vmcoreinfo.symbol(name) as bigint
    const args = ['--vtop', `0x${address.toString(16)}`, '-d', '31', '-l', path, join(makeFolder(), 'out')]
    const theirs = runJudge('makedumpfile', args).toString()
    expect(theirs).toContain(`${renderTranslation(translateAddress(kernel, address))}\n`)
  })
})
