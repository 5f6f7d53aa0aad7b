import { describe, expect, it } from 'vitest'
import { GiB, MiB } from '../../../src/core/address.ts'
import {
  adaptDeviceTree,
  defaultRmaSize,
  makeDeviceTree,
  readTreeFacts,
  type TreeInputs,
} from '../../../src/core/machine/device-tree.ts'
import {
  cells,
  type DeviceNode,
  doubleCells,
  findNode,
  makeNode,
  strings,
} from '../../../src/formats/fdt/tree.ts'
import { regsaveSize } from '../../../src/formats/regsave.ts'
import { realProperties } from '../../fixtures/device-tree.ts'

const commandLine =
  'console=hvc0 fadump=on crashkernel=320M panic=5 files=0 append=nr_cpus=1,fixtureparam=yes'
const machine: TreeInputs = {
  memory: [{ start: 0, end: 1280 * MiB }],
  rmaSize: GiB,
  reservedRanges: [],
  maxCpus: 2,
  commandLine,
}

const property = (tree: DeviceNode, path: string): Uint8Array | undefined => {
  const slash = path.lastIndexOf('/')
  return findNode(tree, path.slice(0, Math.max(0, slash)))?.properties.get(path.slice(slash + 1))
}

describe('device tree of a machine', () => {
  it.each([
    '#address-cells',
    '#size-cells',
    'device_type',
    'compatible',
    'chosen/bootargs',
    'rtas/ibm,configure-kernel-dump',
    'rtas/ibm,configure-kernel-dump-sizes',
    'rtas/ibm,os-term',
    'rtas/ibm,extended-os-term',
    'memory@0/reg',
    'memory@0/device_type',
    'memory@40000000/reg',
    'cpus/#address-cells',
    'cpus/#size-cells',
    'cpus/PowerPC,POWER9@1/reg',
    'cpus/PowerPC,POWER9@1/ibm,ppc-interrupt-server#s',
    'cpus/PowerPC,POWER9@1/status',
  ])('has the %s of a real one with the same memory and CPUs', (path) => {
    const real = realProperties().get(path)
    expect(real).toBeDefined()
    expect(Buffer.from(property(makeDeviceTree(machine), path) ?? 'missing')).toEqual(Buffer.from(real ?? ''))
  })

  it('is read as it was made', () => {
    const reservedRanges = [{ start: 64 * MiB, end: 65 * MiB }]
    expect(readTreeFacts(makeDeviceTree({ ...machine, reservedRanges }))).toEqual({
      commandLine,
      memory: machine.memory,
      rmaSize: GiB,
      reservedRanges,
      maxCpus: 2,
    })
  })

  it('has a node for every range of memory, and one of its own for the real-mode area', () => {
    const memory = [
      { start: 0, end: GiB },
      { start: 2 * GiB, end: 4 * GiB },
    ]
    const names = makeDeviceTree({ ...machine, memory, rmaSize: 512 * MiB }).children.map(({ name }) => name)
    expect(names.slice(3)).toEqual(['memory@0', 'memory@20000000', 'memory@80000000'])
  })

  it('of a capture boot becomes one of a production boot', () => {
    const rtas = makeNode('rtas', { 'ibm,kernel-dump': new Uint8Array(200) })
    const root = { 'reserved-ranges': doubleCells(0, 4096) }
    const captured = makeNode('', root, [makeNode('chosen', { bootargs: strings('old') }), rtas])
    const tree = adaptDeviceTree(captured, machine)
    expect(property(tree, 'rtas/ibm,kernel-dump')).toBeUndefined()
    expect(tree.properties.has('reserved-ranges')).toBe(false)
    expect(property(tree, 'chosen/bootargs')).toEqual(strings(commandLine))
  })
})

describe('facts of a device tree', () => {
  it('are missing where the tree has nothing', () => {
    expect(readTreeFacts(makeNode('', {}))).toEqual({
      commandLine: undefined,
      memory: [],
      rmaSize: undefined,
      reservedRanges: [],
      maxCpus: undefined,
    })
  })

  it('are missing where the tree makes no sense', () => {
    const tree = makeNode('', { 'reserved-ranges': new Uint8Array(7) }, [
      makeNode('rtas', { 'ibm,configure-kernel-dump-sizes': new Uint8Array(12).fill(0xff) }),
      makeNode('memory@0', { reg: new Uint8Array(16).fill(0xff) }),
    ])
    expect(readTreeFacts(tree)).toMatchObject({ memory: [], reservedRanges: [], maxCpus: undefined })
  })
})

describe('a hostile device tree', () => {
  it('does not decide how many CPUs a new machine gets', () => {
    const sizes = cells(1, 0, regsaveSize(3_000_000))
    const tree = makeNode('', {}, [makeNode('rtas', { 'ibm,configure-kernel-dump-sizes': sizes })])
    expect(readTreeFacts(tree).maxCpus).toBeUndefined()
  })

  it('may have a hundred thousand reserved ranges', () => {
    const ranges = Array.from({ length: 1e5 }, (_, i) => [0, 32 * i, 0, 8]).map((range) => cells(...range))
    const tree = makeNode('', { 'reserved-ranges': Buffer.concat(ranges) })
    const { reservedRanges } = readTreeFacts(tree)
    expect(() => adaptDeviceTree(tree, { commandLine: '', reservedRanges, maxCpus: 1 })).not.toThrow()
  })
})

describe('the real-mode area', () => {
  it.each([
    [1280 * MiB, GiB],
    [GiB, GiB],
    [64 * GiB, 16 * GiB],
    [65536, 65536],
  ])('of %d bytes of memory is %d bytes by default, as in QEMU', (size, rma) => {
    expect(defaultRmaSize([{ start: 0, end: size }])).toBe(rma)
  })
})
