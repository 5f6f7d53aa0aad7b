// The CPUs' registers in an ELF file of ours, as gdb shows them; what they are is read from the source
// by libkdumpfile, and for the CPU that was in user space by crash.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { filterToFile } from '../../src/core/filter/output.ts'
import { openDump } from '../../src/formats/index.ts'
import { expectedText, fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, describeWithPython, runJudge, runPython } from './judge.ts'

type Registers = Readonly<Record<string, string>>

const source = fixture('x86_64-6.1-debian/vmcore.kdump')

async function shownByGdb(): Promise<Registers[]> {
  const output = join(makeFolder(), 'vmcore')
  using dump = openDump(source)
  await filterToFile(dump, output, { format: 'elf', level: 31 })
  const commands = [`core-file ${output}`, 'thread apply all -ascending info registers']
  const args = commands.flatMap((command) => ['-ex', command])
  const [, ...threads] = runJudge('gdb', ['-q', '-batch', ...args])
    .toString()
    .split(/^Thread /m)
  return threads.map((thread) => {
    const lines = thread.matchAll(/^(\w+) +(0x[0-9a-f]+) /gm)
    return Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]))
  })
}

const script = `
import json, sys, kdumpfile
cpus = kdumpfile.kdumpfile(file=sys.argv[1]).attr['cpu']
print(json.dumps([{name: hex(value) for name, value in cpus[str(cpu)]['reg'].items()} for cpu in range(cpus['number'])]))
`

/** gdb's names; of a core file it shows no orig_rax and no segment bases. */
const inGdb = ({ rflags = '', orig_rax, fs_base, gs_base, ...registers }: Registers): Registers => ({
  ...registers,
  eflags: rflags,
})

describeWithJudge('gdb', 'gdb', () => {
  describeWithPython('kdumpfile', 'and libkdumpfile', () => {
    it('show the same registers of every CPU, of our ELF file and of its source', async () => {
      const expected = (JSON.parse(runPython(script, [source]).toString()) as Registers[]).map(inGdb)
      expect(expected).toHaveLength(2)
      const shown = await shownByGdb()
      expect(shown).toHaveLength(2)
      for (const [cpu, registers] of expected.entries())
        expect(shown[cpu], `CPU ${cpu}`).toMatchObject(registers)
    })
  })

  it('shows the registers of the interrupted process as crash does', async () => {
    const interrupted = expectedText('x86_64-6.1-debian', 'crash.txt').split(/^PID: /m)[1] ?? ''
    const pairs = [...interrupted.matchAll(/\b(R[A-Z0-9]{1,2}): ([0-9a-f]{16})/g)]
    expect(pairs).toHaveLength(17)
    const [first = {}] = await shownByGdb()
    for (const [, name = '', value] of pairs) {
      expect(BigInt(first[name.toLowerCase()] ?? -1), name).toBe(BigInt(`0x${value}`))
    }
  })
})
