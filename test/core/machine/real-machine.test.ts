// The bundled machine: memory of a real Linux 7.2 on QEMU, made into a machine without any option. The
// judges are that machine's console, QEMU's register dump and the device tree the kernel saw.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { type Creation, createMachine } from '../../../src/core/machine/create.ts'
import { openMemorySource } from '../../../src/core/machine/memory-source.ts'
import { readDeviceTree } from '../../../src/formats/fdt/reader.ts'
import { type DeviceNode, findNode } from '../../../src/formats/fdt/tree.ts'
import { openDump } from '../../../src/formats/index.ts'
import { type MachineImage, openMachineImage } from '../../../src/formats/machine-image/image.ts'
import { realProperties } from '../../fixtures/device-tree.ts'
import { demoMachine, fixtureText } from '../../fixtures/index.ts'

let folder: string
let image: MachineImage
let creation: Creation
let tree: DeviceNode

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fadump-real-'))
  const path = join(folder, 'machine')
  using source = openMemorySource({ from: demoMachine })
  creation = await createMachine(path, source, { firmware: 'rtas' })
  image = openMachineImage(path)
  tree = readDeviceTree(image.deviceTree, path)
})

afterAll(() => {
  image?.[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

describe('the machine made from the bundled memory', () => {
  it('has every byte of it', () => {
    using dump = openDump(demoMachine)
    const [ours, theirs] = [Buffer.alloc(MiB), Buffer.alloc(MiB)]
    const different: number[] = []
    for (let at = 0; at < 1280 * MiB; at += MiB) {
      image.ram.read(at, ours)
      dump.memory.read(at, theirs)
      if (!ours.equals(theirs)) different.push(at)
    }
    expect(image.state.memory).toEqual([{ start: 0, end: 1280 * MiB }])
    expect(different).toEqual([])
  })

  it("has the kernel's release and command line, as the console shows them", () => {
    const console = fixtureText('ppc64le-7.2-fadump', 'console.txt')
    expect(image.state.kernel.release).toBe(/Linux version (\S+)/.exec(console)?.[1])
    expect(image.state.commandLine).toBe(/^cmdline: (.*?)\r?$/m.exec(console)?.[1])
  })

  it('needs no default: the memory tells all', () => {
    expect(creation.findings.filter((finding) => finding.source === 'default')).toEqual([])
    expect(creation.warnings).toEqual([])
  })

  it("has the kernel's sizes: 384 bytes of registers, CPU masks of one word, VMCOREINFO at 0x2540000", () => {
    expect(image.state.kernel).toMatchObject({
      ptRegsSize: 384,
      maxCpus: 64,
      vmcoreinfo: { address: 0x2540000, size: 65572 },
    })
    expect(image.state).toMatchObject({ mmu: 'radix', maxCpus: 2, pageSize: 65536 })
  })

  it.each([0, 1])('has the registers of CPU %i as QEMU printed them', (cpu) => {
    const text = fixtureText('ppc64le-7.2-fadump', 'registers-at-snapshot.txt')
    const part = text.split(/^CPU#\d+\r?$/m)[cpu + 1] as string
    const registers = image.state.cpus[cpu]?.registers
    const value = (name: string): bigint => BigInt(registers?.[name] ?? -1)
    const general = [...part.matchAll(/^GPR\d\d ((?:[0-9a-f]{16} ?){4})/gm)].flatMap((match) =>
      (match[1] as string).trim().split(' '),
    )
    expect(general).toHaveLength(32)
    for (const [n, text] of general.entries()) expect(value(`r${n}`), `r${n}`).toBe(BigInt(`0x${text}`))
    for (const [qemu, ours] of [
      ['NIP', 'nip'],
      ['LR', 'link'],
      ['CTR', 'ctr'],
      ['XER', 'xer'],
      ['MSR', 'msr'],
    ] as const) {
      expect(value(ours), ours).toBe(BigInt(`0x${new RegExp(`\\b${qemu} +([0-9a-f]{16})`).exec(part)?.[1]}`))
    }
  })

  it('has the device tree of its boot: firmware, CPUs and memory as the capture kernel saw them too', () => {
    const real = [...realProperties()].filter(
      ([path]) => /^(rtas|cpus|memory@)/.test(path) && !path.includes('ibm,kernel-dump'),
    )
    const different = real.filter(([path, value]) => {
      const slash = path.lastIndexOf('/')
      const ours = findNode(tree, path.slice(0, slash))?.properties.get(path.slice(slash + 1))
      return ours === undefined || !Buffer.from(ours).equals(value)
    })
    // Names are not properties of a flattened tree; the rest is memory that SLOF and the kernel handed out.
    expect(
      different.map(([path]) => path).filter((path) => !/\/(name|phandle|available)$/.test(path)),
    ).toEqual([])
    expect(real.length).toBeGreaterThan(120)
    expect(findNode(tree, '/rtas')?.properties.has('ibm,kernel-dump')).toBe(false)
  })
})
