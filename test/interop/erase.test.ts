// Dumps from which something was erased, read by the programs of the field.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { eraseDump } from '../../src/core/filter/erase.ts'
import { parseEraseConfig } from '../../src/core/filter/erase-config.ts'
import { filterToFile } from '../../src/core/filter/output.ts'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, describeWithPython, runJudge, runPython } from './judge.ts'

const source = fixture('x86_64-6.1-debian/vmcore.kdump')
const config = parseEraseConfig(
  'for m in modules.next within module:list\n erase m.name size 4\nendfor\nerase init_task.comm\nerase saved_command_line nullify\n',
  'my.conf',
)
/** Linux 6.1 has seven modules there, and 16 bytes for a name. */
const info = `${'erase m.name size 4\n'.repeat(7)}erase init_task.comm size 16\nerase saved_command_line nullify\n`

async function erase(format: 'kdump' | 'elf'): Promise<string> {
  const output = join(makeFolder(), 'vmcore')
  using dump = openDump(source)
  await filterToFile(eraseDump(dump, config), output, { format, level: 31, threads: 0 })
  return output
}

const script = `
import sys, kdumpfile
dump = kdumpfile.kdumpfile(file=sys.argv[1])
dump.attr['addrxlat.ostype'] = 'linux'
sys.stdout.buffer.write(dump.read(kdumpfile.KDUMP_KVADDR, int(sys.argv[2], 16), 20))
`
/** Of init_task.comm: where crash sees init_task, and the offset that bpftool lists. */
const comm = (0xffff_ffff_ade1_aa40n + 23808n / 8n).toString(16)

describeWithPython('kdumpfile', 'libkdumpfile', () => {
  it('reads the name of the first task in the source', () => {
    expect(runPython(script, [source, comm]).toString('latin1')).toMatch(/^swapper\/0\0{7}/)
  })

  it.each(['kdump', 'elf'] as const)(
    'reads X where it was erased from our %s file, and what is behind',
    async (format) => {
      const before = runPython(script, [source, comm])
      const after = runPython(script, [await erase(format), comm])
      expect(after).toEqual(Buffer.concat([Buffer.alloc(16, 'X'), before.subarray(16)]))
    },
  )
})

describeWithJudge('makedumpfile', 'makedumpfile', () => {
  it('keeps what was erased when it filters our kdump file', async () => {
    const output = await erase('kdump')
    runJudge('makedumpfile', ['-c', '-d', '31', output, `${output}.2`])
    expect(readFileSync(`${output}.2`).includes(info)).toBe(true)
    using again = openDump(`${output}.2`)
    expect(again.eraseInfo).toBe(info)
  })
})

describeWithJudge('crash', 'crash', () => {
  it.each(['kdump', 'elf'] as const)(
    'finds the kernel of a %s file from which something was erased',
    async (format) => {
      expect(runJudge('crash', ['--osrelease', await erase(format)]).toString()).toBe(
        '6.1.0-55-cloud-amd64\n',
      )
    },
  )
})

describeWithJudge('readelf', 'readelf', () => {
  it('lists the note of what was erased beside the others', async () => {
    const notes = runJudge('readelf', ['-n', await erase('elf')]).toString()
    expect(notes).toMatch(/^ {2}ERASEINFO +0x[0-9a-f]+\t/m)
    expect(notes).toMatch(/^ {2}VMCOREINFO /m)
  })
})
