// A device tree as a plain value: nodes with named properties of raw bytes. Properties hold big-endian
// 32-bit cells or NUL-terminated strings; what a property means only its reader knows.

export interface DeviceNode {
  /** With the unit address: `memory@40000000`; empty for the root. */
  readonly name: string
  readonly properties: ReadonlyMap<string, Uint8Array>
  readonly children: readonly DeviceNode[]
}

export function makeNode(
  name: string,
  properties: Readonly<Record<string, Uint8Array | undefined>>,
  children: readonly DeviceNode[] = [],
): DeviceNode {
  const given = Object.entries(properties).flatMap(([key, value]) => (value ? [[key, value] as const] : []))
  return { name, properties: new Map(given), children }
}

/** The node at `/rtas` or `/cpus/PowerPC,POWER9@0`; the root at `/`. */
export function findNode(root: DeviceNode, path: string): DeviceNode | undefined {
  let node: DeviceNode | undefined = root
  for (const step of path.split('/').filter((part) => part !== '')) {
    node = node?.children.find((child) => child.name === step)
  }
  return node
}

/** The same tree with a property of the node at `path` set, or removed when the value is undefined. */
export function withProperty(
  root: DeviceNode,
  path: string,
  property: string,
  value: Uint8Array | undefined,
): DeviceNode {
  const [step, ...rest] = path.split('/').filter((part) => part !== '')
  if (step === undefined) {
    const properties = new Map(root.properties)
    if (value === undefined) properties.delete(property)
    else properties.set(property, value)
    return { ...root, properties }
  }
  const children = root.children.map((child) =>
    child.name === step ? withProperty(child, rest.join('/'), property, value) : child,
  )
  return { ...root, children }
}

/** Values as big-endian 32-bit cells. */
export function cells(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value)
  return bytes
}

/** Values as pairs of cells, the high one first: addresses and sizes. */
export const doubleCells = (...values: readonly number[]): Uint8Array =>
  cells(...values.flatMap((value) => [Math.floor(value / 2 ** 32), value % 2 ** 32]))

/** NUL-terminated strings, one after another. */
export const strings = (...texts: readonly string[]): Uint8Array =>
  Uint8Array.from(Buffer.from(texts.map((text) => `${text}\0`).join(''), 'latin1'))
