// Writes a flattened device tree, version 17, without memory reservations: header, the empty
// reservation list, structure block, property names, each name once.

import { alignUp } from '../../core/address.ts'
import { fdtAbi, fdtHeader, fdtMagic, tokens } from './layout.ts'
import { cells, type DeviceNode } from './tree.ts'

/** One pair of zeros ends the list of reservations. */
const noReservations = new Uint8Array(16)

export function writeDeviceTree(root: DeviceNode): Uint8Array {
  const names = new Map<string, number>()
  const structure = Buffer.concat([...nodeParts(root, names), cells(tokens.end)])
  const strings = Buffer.from([...names.keys()].map((name) => `${name}\0`).join(''), 'latin1')
  const reservationsOffset = alignUp(fdtHeader.layout(fdtAbi).size, 8)
  const structOffset = reservationsOffset + noReservations.length
  const stringsOffset = structOffset + structure.length
  const header = fdtHeader.write(
    {
      magic: fdtMagic,
      totalSize: stringsOffset + strings.length,
      structOffset,
      stringsOffset,
      reservationsOffset,
      version: 17,
      lastCompatibleVersion: 16,
      stringsSize: strings.length,
      structSize: structure.length,
    },
    fdtAbi,
  )
  const bytes = new Uint8Array(stringsOffset + strings.length)
  bytes.set(header)
  bytes.set(structure, structOffset)
  bytes.set(strings, stringsOffset)
  return bytes
}

function* nodeParts(node: DeviceNode, names: Map<string, number>): Generator<Uint8Array> {
  yield cells(tokens.beginNode)
  yield padded(Buffer.from(`${node.name}\0`, 'latin1'))
  for (const [name, value] of node.properties) {
    yield cells(tokens.property, value.length, nameOffset(names, name))
    yield padded(value)
  }
  for (const child of node.children) yield* nodeParts(child, names)
  yield cells(tokens.endNode)
}

/** Where a name stands in the block of names; names are kept in the order they came. */
function nameOffset(names: Map<string, number>, name: string): number {
  const known = names.get(name)
  if (known !== undefined) return known
  const last = [...names].at(-1)
  const offset = last === undefined ? 0 : last[1] + last[0].length + 1
  names.set(name, offset)
  return offset
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(alignUp(bytes.length, 4))
  whole.set(bytes)
  return whole
}
