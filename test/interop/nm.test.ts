// nm and our reader of a vmlinux, on a program that gcc linked, with types put beside it by objcopy.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readVmlinux } from '../../src/core/kernel/vmlinux.ts'
import { info, makeBtf } from '../make/btf.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

const program = `
int counter = 3;
static int hidden[4] = { 1 };
const char banner[] = "Linux version";
static long zeros[100];
const char linux_banner[] = "Linux version 6.6.6-test (somebody@somewhere)";
char empty_zero_page[16384];
__attribute__((weak)) int maybe(void) { return hidden[0]; }
static int inner(int x) { return x + counter; }
int main(int argc, char **argv) { zeros[argc] = inner(argc); return (int)zeros[0] + maybe(); }
`

describeWithJudge('gcc', 'nm', () => {
  it('lists the symbols of a vmlinux as we do, and types are read from its section', () => {
    const folder = makeFolder()
    const [source, linked, types, vmlinux] = ['main.c', 'linked', 'types', 'vmlinux'].map((name) =>
      join(folder, name),
    ) as [string, string, string, string]
    writeFileSync(source, program)
    writeFileSync(types, makeBtf({ types: [['long', info(1), 8, (1 << 24) | 64]] }).bytes)
    runJudge('gcc', ['-O0', '-o', linked, source])
    runJudge('objcopy', ['--add-section', `.BTF=${types}`, linked, vmlinux])
    const listed = runJudge('nm', [vmlinux]).toString().trimEnd().split('\n')
    const { symbols, btf, release, pageSize } = readVmlinux(vmlinux)
    expect({ release, pageSize }).toEqual({ release: '6.6.6-test', pageSize: 16384 })
    const found = Array.from(symbols ?? [], ({ name, type, address }) => {
      return `${address.toString(16).padStart(16, '0')} ${type} ${name}`
    })
    // nm shows symbols without a definition and versions of names, of which a kernel has none.
    const own = (lines: string[]) =>
      lines.filter((line) => /\b(counter|hidden|banner|zeros|maybe|inner|main|_start)$/.test(line))
    expect(own(found).sort()).toEqual(own(listed).sort())
    expect(own(found)).toHaveLength(8)
    expect(btf?.find('long', ['int'])).toEqual([1])
  })

  it('is not read from what is no ELF file', () => {
    const path = join(makeFolder(), 'vmlinuz')
    writeFileSync(path, 'MZ and more than a header of some other kind of kernel')
    expect(() => readVmlinux(path)).toThrow('ELF header')
  })
})
