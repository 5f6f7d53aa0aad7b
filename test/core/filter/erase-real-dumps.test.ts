// Where things are in real kernels. Judges: the kernels themselves, which number their CPUs, and drgn,
// which read the command line and the name of the machine with debug information.

import { describe, expect, it } from 'vitest'
import { eraseDump } from '../../../src/core/filter/erase.ts'
import { parseEraseConfig } from '../../../src/core/filter/erase-config.ts'
import { openDump } from '../../../src/formats/index.ts'
import { type DrgnFacts, expectedJson, type FixtureCase, fixture } from '../../fixtures/index.ts'
import { dumpFiles } from '../../make/kernel-names.ts'

/** What was at the places that a configuration erases. */
function erasedBytes(name: FixtureCase, file: string, config: string): Buffer[] {
  using dump = openDump(fixture(`${name}/${file}`))
  const { erased } = eraseDump(dump, parseEraseConfig(config, 'my.conf'))
  return (erased?.parts ?? []).map(({ ranges }) =>
    Buffer.concat(
      ranges.map(({ start, end }) => {
        const bytes = Buffer.alloc(end - start)
        dump.memory.read(start, bytes)
        return bytes
      }),
    ),
  )
}

describe.each(dumpFiles)('%s', (name, file) => {
  const drgn = expectedJson<DrgnFacts & { modules: { name: string }[] }>(name, 'drgn.json')
  const text = (bytes: Buffer): string => bytes.toString('latin1').replace(/\0.*$/s, '')

  it('has its command line, its name and its modules where the configuration leads', () => {
    const found = erasedBytes(
      name,
      file,
      'erase saved_command_line\nerase init_uts_ns.name.nodename\nfor m in modules.next within module:list\nerase m.name\nendfor',
    )
    expect(found.map(text)).toEqual([
      drgn.cmdline.trimEnd(),
      drgn.nodename,
      ...drgn.modules.map((module) => module.name),
    ])
  })

  it('has a per-CPU variable once for each CPU', () => {
    const found = erasedBytes(name, file, 'erase rcu_data.cpu')
    expect(found.map((bytes) => bytes.readUInt32LE(0))).toEqual([0, 1])
    expect(found.map((bytes) => bytes.length)).toEqual([4, 4])
  })
})

describe('x86_64-6.1-debian', () => {
  it('has variables of the kernel in the section of a module, too, and their types', () => {
    const found = erasedBytes(
      'x86_64-6.1-debian',
      'vmcore.kdump',
      '[virtio]\nerase init_task.comm\nerase virtio_bus size 8',
    )
    expect(found.map((bytes) => bytes.length)).toEqual([16, 8])
    expect(found[0]?.toString('latin1')).toBe('swapper/0\0\0\0\0\0\0\0')
  })
})
