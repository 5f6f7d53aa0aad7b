// Writes a flattened device tree, version 17, without memory reservations: header, the empty
// reservation list, structure block, property names, each name once.

import { alignUp } from '../../core/address.ts'
import { fdtAbi, fdtHeader, fdtMagic, tokens } from './layout.ts'
import { cells, type DeviceNode } from './tree.ts'

/** One pair of zeros ends the list of reservations. */
const noReservations = new Uint8Array(16)

export function writeDeviceTree(root: DeviceNode): Uint8Array {
  const names: Names = { offsets: new Map(), size: 0 }
  const structure = Buffer.concat([...nodeParts(root, names), cells(tokens.end)])
  const strings = Buffer.from([...names.offsets.keys()].map((name) => `${name}\0`).join(''), 'latin1')
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

/** Where each name stands in the block of names; they are kept in the order they came. */
interface Names {
  readonly offsets: Map<string, number>
  /** Bytes of the block so far. */
  size: number
}

function* nodeParts(node: DeviceNode, names: Names): Generator<Uint8Array> {
  yield cells(tokens.beginNode)
  yield padded(Buffer.from(`${node.name}\0`, 'latin1'))
  for (const [name, value] of node.properties) {
    yield cells(tokens.property, value.length, nameOffset(names, name))
    yield padded(value)
  }
  for (const child of node.children) yield* nodeParts(child, names)
  yield cells(tokens.endNode)
}

function nameOffset(names: Names, name: string): number {
  const known = names.offsets.get(name)
  if (known !== undefined) return known
  const offset = names.size
  names.offsets.set(name, offset)
  names.size += name.length + 1
  return offset
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(alignUp(bytes.length, 4))
  whole.set(bytes)
  return whole
}
