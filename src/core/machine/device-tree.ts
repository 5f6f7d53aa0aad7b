// The device tree of a machine as its firmware hands it over at boot: made new for a blank machine, or
// the one that a real kernel was booted with. Only the firmware-assisted dump's part must be right, the
// rest is what a reader expects to see. Source: PAPR; QEMU hw/ppc/spapr.c.

import {
  cells,
  type DeviceNode,
  doubleCells,
  findNode,
  makeNode,
  strings,
  withProperty,
} from '../../formats/fdt/tree.ts'
import { maxCpuCount, maxRanges } from '../../formats/machine-image/state-text.ts'
import { regsaveSize } from '../../formats/regsave.ts'
import { GiB } from '../address.ts'
import { makeRanges, type Range, type Ranges, rangeSize } from '../ranges.ts'

/** RTAS tokens: numbers the platform chooses; these are QEMU's. */
const rtasTokens = { 'ibm,os-term': 0x201f, 'ibm,configure-kernel-dump': 0x202d } as const

export interface TreeInputs {
  readonly memory: Ranges
  /** End of the real-mode area, which is the first memory node. */
  readonly rmaSize: number
  readonly reservedRanges: Ranges
  /** Possible CPUs. */
  readonly maxCpus: number
  readonly commandLine: string
}

export function makeDeviceTree(inputs: TreeInputs): DeviceNode {
  const root = makeNode(
    '',
    {
      '#address-cells': cells(2),
      '#size-cells': cells(2),
      model: strings('fadump machine'),
      compatible: strings('qemu,pseries'),
      device_type: strings('chrp'),
    },
    [
      makeNode('chosen', {}),
      makeNode('rtas', {
        'ibm,os-term': cells(rtasTokens['ibm,os-term']),
        'ibm,extended-os-term': new Uint8Array(),
        'ibm,configure-kernel-dump': cells(rtasTokens['ibm,configure-kernel-dump']),
        // Lowest and highest version of the structure, 16 bits each. QEMU on x86 hosts swaps their bytes.
        'ibm,configure-kernel-dump-version': cells(0x00010001),
      }),
      makeNode('cpus', { '#address-cells': cells(1), '#size-cells': cells(0) }, cpuNodes(inputs.maxCpus)),
      ...memoryNodes(inputs.memory, inputs.rmaSize),
    ],
  )
  return adaptDeviceTree(root, inputs)
}

/** The same tree for the next production boot: no dump to find in it, and what the user changed. */
export function adaptDeviceTree(
  root: DeviceNode,
  inputs: Pick<TreeInputs, 'commandLine' | 'reservedRanges' | 'maxCpus'>,
): DeviceNode {
  const reserved = inputs.reservedRanges.flatMap((range) => [range.start, rangeSize(range)])
  // Section 1 is CPU state, section 2 the hash page table, which takes no room.
  const sizes = cells(1, 0, regsaveSize(inputs.maxCpus), 2, 0, 0)
  const changes: readonly (readonly [string, string, Uint8Array | undefined])[] = [
    ['/', 'reserved-ranges', reserved.length === 0 ? undefined : doubleCells(...reserved)],
    ['/chosen', 'bootargs', strings(inputs.commandLine)],
    ['/rtas', 'ibm,configure-kernel-dump-sizes', sizes],
    ['/rtas', 'ibm,kernel-dump', undefined],
  ]
  return changes.reduce((tree, change) => withProperty(tree, ...change), root)
}

const cpuNodes = (count: number): DeviceNode[] =>
  Array.from({ length: count }, (_, id) =>
    makeNode(`PowerPC,POWER9@${id.toString(16)}`, {
      device_type: strings('cpu'),
      reg: cells(id),
      status: strings('okay'),
      'ibm,ppc-interrupt-server#s': cells(id),
    }),
  )

/** One node a range, but the real-mode area has a node of its own. */
function memoryNodes(memory: Ranges, rmaSize: number): DeviceNode[] {
  return memory.flatMap(({ start, end }) => {
    const cut = start < rmaSize && rmaSize < end ? rmaSize : end
    return [{ start, end: cut }, ...(cut < end ? [{ start: cut, end }] : [])].map(memoryNode)
  })
}

const memoryNode = (range: Range): DeviceNode =>
  makeNode(`memory@${range.start.toString(16)}`, {
    device_type: strings('memory'),
    reg: doubleCells(range.start, rangeSize(range)),
  })

/** QEMU's rule: the largest power of two that the first range holds, at most 16 GiB. */
export function defaultRmaSize(memory: Ranges): number {
  const first = memory[0] === undefined ? 0 : rangeSize(memory[0])
  return Math.min(2 ** Math.floor(Math.log2(Math.max(1, first))), 16 * GiB)
}

/** What a tree says of its machine; undefined where it says nothing that we can use. */
export interface TreeFacts {
  readonly commandLine: string | undefined
  readonly memory: Ranges
  readonly rmaSize: number | undefined
  readonly reservedRanges: Ranges
  readonly maxCpus: number | undefined
}

export function readTreeFacts(root: DeviceNode): TreeFacts {
  const nodes = root.children.filter((node) => /^memory@/.test(node.name))
  const pieces = nodes.map((node) => readRanges(node.properties.get('reg')))
  const bootargs = findNode(root, '/chosen')?.properties.get('bootargs')
  return {
    commandLine: bootargs && Buffer.from(bootargs).toString('latin1').replace(/\0.*$/s, ''),
    memory: makeRanges(pieces.flat()),
    rmaSize: pieces.flat().find(({ start }) => start === 0)?.end,
    reservedRanges: readRanges(root.properties.get('reserved-ranges')),
    maxCpus: readMaxCpus(findNode(root, '/rtas')?.properties.get('ibm,configure-kernel-dump-sizes')),
  }
}

/** Pairs of address and size, two cells each. */
function readRanges(value: Uint8Array | undefined): Ranges {
  const numbers = cellPairs(value)
  const ranges: Range[] = []
  for (let i = 0; i + 1 < Math.min(numbers.length, 2 * maxRanges); i += 2) {
    const [start = 0, size = 0] = [numbers[i], numbers[i + 1]]
    ranges.push({ start, end: start + size })
  }
  return makeRanges(ranges.filter(({ end }) => Number.isSafeInteger(end)))
}

function cellPairs(value: Uint8Array | undefined): number[] {
  if (value === undefined) return []
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  return Array.from({ length: Math.floor(value.length / 8) }, (_, i) => Number(view.getBigUint64(i * 8)))
}

/** From the room firmware asks for to save CPUs in, triples of section, high and low half of the size. */
function readMaxCpus(value: Uint8Array | undefined): number | undefined {
  if (value === undefined || value.length < 12) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  const cpus = (view.getUint32(8) - regsaveSize(0)) / (regsaveSize(1) - regsaveSize(0))
  const isCount = Number.isInteger(cpus) && cpus > 0 && cpus <= maxCpuCount
  return view.getUint32(0) === 1 && isCount ? cpus : undefined
}

/** Is the memory of the tree the memory of the machine, in whole pages? */
export const sameRanges = (a: Ranges, b: Ranges): boolean =>
  a.length === b.length && a.every((range, i) => range.start === b[i]?.start && range.end === b[i]?.end)
