// Reads a flattened device tree. The blob is hostile: depth, name lengths and every offset are bounded,
// and what is read never exceeds the blob itself.

import { Cursor } from '../../core/cursor.ts'
import { type FdtHeader, fdtAbi, fdtHeader, fdtMagic, tokens } from './layout.ts'
import type { DeviceNode } from './tree.ts'

/** Real trees are a dozen levels deep. */
const maxDepth = 64
/** The specification says 31; vendors go beyond. */
const maxNameLength = 255

/** The root node. Bytes after the blob are ignored. @throws {FormatError} */
export function readDeviceTree(bytes: Uint8Array, file: string): DeviceNode {
  const whole = new Cursor(bytes, fdtAbi.littleEndian, { file, what: 'device tree' })
  const header = fdtHeader.read(whole, fdtAbi)
  checkHeader(header, whole)
  const part = (offset: number, size: number, field: string): Cursor => {
    whole.position = Math.min(offset, bytes.length)
    return new Cursor(whole.take(size, field), fdtAbi.littleEndian, {
      file,
      base: offset,
      what: 'device tree',
    })
  }
  const names = part(header.stringsOffset, header.stringsSize, 'property names')
  const structure = part(header.structOffset, structSize(header), 'structure block')
  const first = nextToken(structure)
  if (first !== tokens.beginNode) throw structure.problem('root node', { found: `token ${first}` })
  const root = readNode(structure, names, 0)
  const last = nextToken(structure)
  if (last !== tokens.end) throw structure.problem('end of the structure block', { found: `token ${last}` })
  return root
}

/** Version 16, which the kernel's own boot wrapper writes, does not say where the structure block ends. */
const structSize = (header: FdtHeader): number =>
  header.version >= 17 ? header.structSize : Math.max(0, header.totalSize - header.structOffset)

function checkHeader(header: FdtHeader, whole: Cursor): void {
  const problem = (field: keyof FdtHeader, expected: string) =>
    whole.problem(field, {
      at: fdtHeader.layout(fdtAbi).offsets[field],
      expected,
      found: `0x${header[field]?.toString(16)}`,
    })
  if (header.magic !== fdtMagic) throw problem('magic', '0xd00dfeed')
  if (header.version < 16 || header.lastCompatibleVersion > 17) throw problem('version', '16 or 17')
  if (header.totalSize > whole.bytes.length) throw problem('totalSize', `at most ${whole.bytes.length}`)
}

/** The next token that is not a NOP. */
function nextToken(structure: Cursor): number {
  let token: number
  do token = structure.u32('token')
  while (token === tokens.nop)
  return token
}

/** A node whose begin token has been read, to its end token. */
function readNode(structure: Cursor, names: Cursor, depth: number): DeviceNode {
  if (depth > maxDepth) throw structure.problem('nodes', { expected: `at most ${maxDepth} levels` })
  const name = readString(structure, 'node name')
  structure.align(4)
  const properties = new Map<string, Uint8Array>()
  const children: DeviceNode[] = []
  for (;;) {
    const token = nextToken(structure)
    if (token === tokens.endNode) return { name, properties, children }
    if (token === tokens.property) readProperty(structure, names, properties)
    else if (token === tokens.beginNode) children.push(readNode(structure, names, depth + 1))
    else throw structure.problem('token', { expected: 'property, node or end of node', found: `${token}` })
  }
}

function readProperty(structure: Cursor, names: Cursor, properties: Map<string, Uint8Array>): void {
  const size = structure.u32('property size')
  const nameOffset = structure.u32('property name')
  names.position = Math.min(nameOffset, names.bytes.length)
  const name = readString(names, 'property name')
  if (properties.has(name)) throw structure.problem('property', { found: `${name} twice in one node` })
  properties.set(name, Uint8Array.from(structure.take(size, `property ${name}`)))
  structure.align(4)
}

function readString(cursor: Cursor, field: string): string {
  const rest = cursor.bytes.subarray(cursor.position, cursor.position + maxNameLength + 1)
  const length = rest.indexOf(0)
  if (length < 0) {
    throw cursor.problem(field, { expected: `a NUL after at most ${maxNameLength} bytes` })
  }
  const text = Buffer.from(cursor.take(length, field)).toString('latin1')
  cursor.skip(1)
  return text
}
