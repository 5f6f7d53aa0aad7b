// Virtual addresses, followed by libkdumpfile and by us: those that crash and drgn printed of each dump, of
// text, data, the direct map, stacks in vmalloc space and modules, and on x86 those of struct pages.

import { expect, it } from 'vitest'
import { FaultError } from '../../src/core/errors.ts'
import { type Kernel, openKernel } from '../../src/core/kernel/kernel.ts'
import { openDump } from '../../src/formats/index.ts'
import { expectedText, type FixtureCase, fixture } from '../fixtures/index.ts'
import { describeWithPython, runPython } from './judge.ts'

/** Eight bytes of each address, null where there are none. */
const script = `
import json, sys, kdumpfile
from kdumpfile import exceptions
dump = kdumpfile.kdumpfile(file=sys.argv[1])
dump.attr['addrxlat.ostype'] = 'linux'
def read(address):
    try:
        return bytes(dump.read(kdumpfile.KDUMP_KVADDR, int(address, 16), 8)).hex()
    except (exceptions.AddressTranslationException, exceptions.NoDataException):
        return None
print(json.dumps([read(address) for address in json.load(sys.stdin)]))
`

function readAll({ memory }: Kernel, addresses: readonly bigint[]): (string | null)[] {
  const bytes = Buffer.alloc(8)
  return addresses.map((address) => {
    try {
      memory.read(address, bytes)
      return bytes.toString('hex')
    } catch (error) {
      if (error instanceof FaultError) return null
      throw error
    }
  })
}

function printedBy(name: FixtureCase): bigint[] {
  const text = expectedText(name, 'crash.txt') + expectedText(name, 'drgn.json')
  const found = text.matchAll(/\b(?:0x)?([c-f][0-9a-f]{15})\b/g)
  return [...new Set(Array.from(found, ([, digits]) => BigInt(`0x${digits}`) & ~7n))]
}

/** Of the first 96 MiB: what the first memory section says, without its flags. */
function structPages({ memory, vmcoreinfo }: Kernel): bigint[] {
  const map = memory.u64(memory.u64(vmcoreinfo.symbol('mem_section') as bigint)) & ~0x3fn
  return Array.from({ length: 24 }, (_, i) => map + BigInt(i * 1024 * 64))
}

describeWithPython('kdumpfile', 'libkdumpfile and we', () => {
  it.each([
    ['x86_64-6.1-debian', 'vmcore.kdump', 460, []],
    ['x86_64-7.2-small', 'vmcore', 400, []],
    ['arm64-7.2-debian', 'vmcore', 120, []],
    // Of a page that begins in a segment it has zeros for what is before; it does not know where ppc64
    // has its I/O and struct pages.
    ['ppc64le-7.2-fadump', 'vmcore', 510, [0xc000000028010000n, 0xc008000000000000n, 0xc00c000000000000n]],
  ] as const)('find the same at the addresses of %s', (name, file, least, different) => {
    const path = fixture(`${name}/${file}`)
    using dump = openDump(path)
    const kernel = openKernel(dump)
    const addresses = [...printedBy(name), ...(name.startsWith('x86') ? structPages(kernel) : [])]
    const asked = JSON.stringify(addresses.map((address) => address.toString(16)))
    const theirs: (string | null)[] = JSON.parse(runPython(script, [path], Buffer.from(asked)).toString())
    const ours = readAll(kernel, addresses)
    expect(addresses.filter((_, i) => ours[i] !== theirs[i])).toEqual(different)
    expect(ours.filter((bytes) => bytes !== null).length).toBeGreaterThan(least)
  })
})
