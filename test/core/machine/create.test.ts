import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { MiB } from '../../../src/core/address.ts'
import { InterruptedError, TargetError, UsageError } from '../../../src/core/errors.ts'
import { type CreateOptions, createMachine } from '../../../src/core/machine/create.ts'
import type { MachineOptions } from '../../../src/core/machine/describe.ts'
import { openMemorySource, type SourceOptions } from '../../../src/core/machine/memory-source.ts'
import { abi64le } from '../../../src/core/struct.ts'
import { noteTypes, writeNote } from '../../../src/formats/elf/notes.ts'
import { crashInfoHeader, crashInfoMagic } from '../../../src/formats/fdh.ts'
import { readDeviceTree } from '../../../src/formats/fdt/reader.ts'
import { cells, doubleCells, findNode, makeNode, strings } from '../../../src/formats/fdt/tree.ts'
import { writeDeviceTree } from '../../../src/formats/fdt/writer.ts'
import { openMachineImage } from '../../../src/formats/machine-image/image.ts'
import { type ElfCoreOptions, makeElfCore } from '../../make/elf-core.ts'
import { makeFolder } from '../../make/folder.ts'

/** NT_PRSTATUS of ppc64le whose registers are `first`, `first` + 1, … */
function prstatus(first: number): Uint8Array {
  const desc = new Uint8Array(504)
  const view = new DataView(desc.buffer)
  for (let slot = 0; slot < 44; slot++) view.setBigUint64(112 + slot * 8, BigInt(first + slot), true)
  return writeNote('CORE', noteTypes.prstatus, desc, true)
}

const ppc64le = { machine: 21, littleEndian: true } as const

/** Path of a new core file. */
function makeDump(options: Partial<ElfCoreOptions> = {}): string {
  const path = join(makeFolder(), 'dump')
  const segments = [{ physical: 0, data: Buffer.alloc(4 * MiB) }]
  writeFileSync(path, makeElfCore({ ...ppc64le, segments, noteAreas: [prstatus(0x100)], ...options }))
  return path
}

/** 4 MiB of memory with these things in it. */
function memoryWith(things: Readonly<Record<number, Uint8Array>>): Buffer {
  const memory = Buffer.alloc(4 * MiB)
  for (const [address, bytes] of Object.entries(things)) memory.set(bytes, Number(address))
  return memory
}

async function create(source: SourceOptions, machine: Partial<MachineOptions> = {}, options?: CreateOptions) {
  const path = join(makeFolder(), 'machine')
  using memory = openMemorySource(source)
  const creation = await createMachine(path, memory, { firmware: 'rtas', ...machine }, options)
  const image = openMachineImage(path)
  onTestFinished(() => image[Symbol.dispose]())
  const bytes = (address: number, length: number): Buffer => {
    const into = Buffer.alloc(length)
    image.ram.read(address, into)
    return into
  }
  const { state } = image
  return { path, creation, state, bytes, tree: readDeviceTree(image.deviceTree, path) }
}

describe('a machine made from a dump', () => {
  it('has its memory, byte for byte, and takes no room for zeros', async () => {
    const data = memoryWith({ 5000: Buffer.from('low'), [3 * MiB]: Buffer.from('high') })
    const { state, bytes, path } = await create({ from: makeDump({ segments: [{ physical: 0, data }] }) })
    expect(state.memory).toEqual([{ start: 0, end: 4 * MiB }])
    expect(bytes(0, 4 * MiB).equals(data)).toBe(true)
    expect(statSync(path).blocks * 512).toBeLessThan(128 * 1024)
  })

  it('keeps the hole between two segments', async () => {
    const segments = [
      { physical: 0, data: Buffer.alloc(65536, 1) },
      { physical: 0x100000, data: Buffer.alloc(65536, 2) },
    ]
    const { state, bytes } = await create({ from: makeDump({ segments }) })
    expect(state.memory).toEqual([
      { start: 0, end: 0x10000 },
      { start: 0x100000, end: 0x110000 },
    ])
    expect(bytes(0x100000, 65536).equals(Buffer.alloc(65536, 2))).toBe(true)
  })

  it('has bytes that start inside a page', async () => {
    const segments = [{ physical: 0x101b0, data: Buffer.alloc(0x20000 - 0x101b0, 7) }]
    const { state, bytes } = await create({ from: makeDump({ segments }) })
    expect(state.memory).toEqual([{ start: 0x10000, end: 0x20000 }])
    expect(bytes(0x10000, 0x1b0).every((byte) => byte === 0)).toBe(true)
    expect(bytes(0x101b0, 0x10000 - 0x1b0).every((byte) => byte === 7)).toBe(true)
  })

  it('says so when a filter left pages out, and has zeros there', async () => {
    const segments = [{ physical: 0, data: Buffer.alloc(65536, 1), memorySize: 131072 }]
    const { creation, bytes } = await create({ from: makeDump({ segments }) })
    expect(creation.warnings).toMatchObject([{ code: 'NOT_STORED' }])
    expect(creation.warnings[0]?.message).toContain('16 pages of 4096 bytes left out of the dump')
    expect(bytes(65536, 65536).every((byte) => byte === 0)).toBe(true)
  })

  it('has its CPUs with their registers', async () => {
    const { state } = await create({ from: makeDump({ noteAreas: [prstatus(0x100), prstatus(0x200)] }) })
    expect(state.cpus.map((cpu) => cpu.id)).toEqual([0, 1])
    // Slot 0 is r0, slot 32 nip, slot 36 the link register.
    expect(state.cpus[0]?.registers).toMatchObject({ r0: '0x100', nip: '0x120', link: '0x124' })
    expect(state.cpus[1]?.registers).toMatchObject({ r31: '0x21f' })
    expect(state.maxCpus).toBe(2)
  })

  it('is refused for a machine that is no little-endian Power', async () => {
    await expect(create({ from: makeDump({ machine: 62, littleEndian: true }) })).rejects.toThrow(
      /the dump is of x86_64$/,
    )
    const bigEndian = makeDump({ machine: 21, littleEndian: false })
    await expect(create({ from: bigEndian })).rejects.toThrow(UsageError)
  })

  it('is refused when the kernel has other pages than the user says', async () => {
    const text = 'OSRELEASE=7.2.13\nPAGESIZE=65536\n'
    const data = memoryWith({ 65536: writeNote('VMCOREINFO', 0, Buffer.from(text), true) })
    const from = makeDump({ segments: [{ physical: 0, data }] })
    await expect(create({ from, pageSize: 4096 })).rejects.toMatchObject({ hint: 'use --page-size 65536' })
  })
})

describe('what a kernel left in its memory', () => {
  const tree = makeNode('', { 'reserved-ranges': doubleCells(0x200000, 0x10000) }, [
    makeNode('chosen', { bootargs: strings('fadump=nocma') }),
    makeNode('rtas', { 'ibm,configure-kernel-dump-sizes': cells(1, 0, 32 + 3 * 1264, 2, 0, 0) }),
    makeNode('memory@0', { reg: doubleCells(0, 2 * MiB) }),
    makeNode('memory@200000', { reg: doubleCells(2 * MiB, 2 * MiB) }),
    makeNode('pci', {}),
  ])
  const header = { magicNumber: crashInfoMagic, version: 1, ptRegsSize: 368, cpuMaskSize: 32 }
  const vmcoreinfo = 'OSRELEASE=7.2.13-test\nPAGESIZE=65536\nNUMBER(RADIX_MMU)=0\n'
  const landmarks = memoryWith({
    65536: writeNote('VMCOREINFO', 0, Buffer.from(vmcoreinfo), true),
    135168: writeDeviceTree(tree),
    196608: crashInfoHeader.write(header, abi64le),
  })
  const from = (): string => makeDump({ segments: [{ physical: 0, data: landmarks }] })

  it('describes the machine, and the result says which fact is from where', async () => {
    const { state, creation } = await create({ from: from() })
    expect(state.kernel).toEqual({
      release: '7.2.13-test',
      maxCpus: 256,
      ptRegsSize: 368,
      commandLineSize: 2048,
      elfFlags: 2,
      vmcoreinfo: { address: 0x10000, size: 65572 },
    })
    expect(state).toMatchObject({
      mmu: 'hash',
      commandLine: 'fadump=nocma',
      maxCpus: 3,
      reservedRanges: [{ start: 0x200000, end: 0x210000 }],
      firmwareState: { rmaSize: 2 * MiB },
    })
    expect(creation.findings).toEqual([
      { field: 'release', value: '7.2.13-test', source: 'VMCOREINFO at 0x10000' },
      { field: 'mmu', value: 'hash', source: 'VMCOREINFO at 0x10000' },
      { field: 'commandLine', value: 'fadump=nocma', source: 'device tree at 0x21000' },
      { field: 'cpus', value: 3, source: 'device tree at 0x21000' },
      { field: 'nrCpus', value: 256, source: 'fadump header at 0x30000' },
      { field: 'rmaSize', value: 2 * MiB, source: 'device tree at 0x21000' },
    ])
  })

  it('gives the device tree', async () => {
    const made = await create({ from: from() })
    expect(findNode(made.tree, '/pci')).toBeDefined()
    expect(findNode(made.tree, '/chosen')?.properties.get('bootargs')).toEqual(strings('fadump=nocma'))
  })

  it('gives way to what the user says', async () => {
    const commandLine = 'fadump=on crashkernel=1G'
    const said = { mmu: 'radix', cpus: 4, nrCpus: 16, rmaSize: MiB, commandLine } as const
    const { state, tree: given } = await create({ from: from() }, said)
    expect(state).toMatchObject({ mmu: 'radix', maxCpus: 4, commandLine, firmwareState: { rmaSize: MiB } })
    expect(state.kernel.maxCpus).toBe(16)
    expect(findNode(given, '/chosen')?.properties.get('bootargs')).toEqual(strings(commandLine))
    expect(findNode(given, '/rtas')?.properties.get('ibm,configure-kernel-dump-sizes')).toEqual(
      cells(1, 0, 32 + 4 * 1264, 2, 0, 0),
    )
  })

  it('is passed over when it is damaged', async () => {
    const damaged = Buffer.from(landmarks)
    // sizes of the note, the tree and the registers: absurd
    damaged.writeUInt32LE(0xffffffff, 0x10004)
    damaged.writeUInt32BE(0x7fffffff, 0x21004)
    damaged.writeUInt32LE(0xffffffff, 0x30020)
    const { creation } = await create({ from: makeDump({ segments: [{ physical: 0, data: damaged }] }) })
    const sources = creation.findings.map((finding) => finding.source)
    expect(sources).toEqual(['default', 'default', 'default', 'registers in the dump', 'default', 'default'])
  })
})

describe('a blank machine', () => {
  it('is zeros with CPUs as after a reset', async () => {
    const { state, bytes, path } = await create({ memory: 8 * MiB }, { cpus: 2 })
    expect(state.memory).toEqual([{ start: 0, end: 8 * MiB }])
    expect(state.cpus.map((cpu) => cpu.registers.nip)).toEqual(['0x100', '0x100'])
    expect(bytes(0, 8 * MiB).every((byte) => byte === 0)).toBe(true)
    expect(statSync(path).blocks * 512).toBeLessThan(64 * 1024)
  })

  it('has holes where they are wanted', async () => {
    const holes = [{ start: 2 * MiB, end: 4 * MiB }]
    const { state, tree } = await create({ memory: 8 * MiB, holes })
    expect(state.memory).toEqual([
      { start: 0, end: 2 * MiB },
      { start: 4 * MiB, end: 8 * MiB },
    ])
    expect(tree.children.map((node) => node.name)).toEqual([
      'chosen',
      'rtas',
      'cpus',
      'memory@0',
      'memory@400000',
    ])
  })

  it.each<[string, SourceOptions, Partial<MachineOptions>]>([
    ['neither --from nor --memory', {}, {}],
    ['both --from and --memory', { from: 'dump', memory: MiB }, {}],
    ['a hole in a dump', { from: 'dump', holes: [{ start: 0, end: MiB }] }, {}],
    ['a hole of half a page', { memory: MiB, holes: [{ start: 0, end: 32768 }] }, {}],
    ['no memory at all', { memory: MiB, holes: [{ start: 0, end: MiB }] }, {}],
    ['OPAL', { memory: MiB }, { firmware: 'opal' }],
    ['a hundred million CPUs', { memory: MiB }, { cpus: 1e8 }],
    ['more CPUs than the kernel knows', { memory: MiB }, { cpus: 4, nrCpus: 2 }],
    [
      'firmware memory where there is none',
      { memory: MiB },
      { reservedRanges: [{ start: MiB, end: 2 * MiB }] },
    ],
  ])('is refused: %s', async (_, source, machine) => {
    await expect(create(source, machine)).rejects.toThrow(UsageError)
  })
})

describe('a machine made from raw memory', () => {
  it('has the bytes at the same addresses', async () => {
    const from = join(makeFolder(), 'raw')
    writeFileSync(from, Buffer.from('physical address 0'))
    truncateSync(from, 2 * MiB + 100)
    const { state, bytes, creation } = await create({
      from,
      raw: true,
      holes: [{ start: MiB, end: MiB + 65536 }],
    })
    expect(state.memory).toEqual([
      { start: 0, end: MiB },
      { start: MiB + 65536, end: 2 * MiB },
    ])
    expect(bytes(0, 18).toString()).toBe('physical address 0')
    expect(creation.warnings.map(({ message }) => message)).toEqual([
      `${from}: its last 100 bytes are no whole page of 65536 bytes; the machine does not have them`,
    ])
  })
})

describe('creating', () => {
  it('leaves nothing behind when it is interrupted', async () => {
    const abort = new AbortController()
    abort.abort()
    const path = join(makeFolder(), 'machine')
    using source = openMemorySource({ from: makeDump() })
    const made = createMachine(path, source, { firmware: 'rtas' }, { signal: abort.signal })
    await expect(made).rejects.toThrow(InterruptedError)
    expect(readdirSync(dirname(path))).toEqual([])
  })

  it('does not write over a file', async () => {
    const path = join(makeFolder(), 'machine')
    writeFileSync(path, 'mine')
    using source = openMemorySource({ memory: MiB })
    await expect(createMachine(path, source, { firmware: 'rtas' })).rejects.toThrow(TargetError)
    await createMachine(path, source, { firmware: 'rtas' }, { force: true })
    expect(statSync(path).size).toBe(17 * MiB)
  })

  it('counts memory up to its whole size', async () => {
    const reports: { done: number; total: number }[] = []
    await create({ from: makeDump() }, {}, { onProgress: (report) => reports.push(report) })
    expect(reports.at(-1)).toEqual({ done: 4 * MiB, total: 4 * MiB })
  })
})
