// BTF as a compiler would write it: records of 32-bit words, names in a pool.

export interface MadeBtf {
  /** Words of each type; names are words too, as text. */
  readonly types: readonly (readonly (number | string)[])[]
  readonly littleEndian?: boolean
  /** Names and types of the kernel, for a module's. */
  readonly base?: { readonly names: string }
}

/** Second word of a record. */
export const info = (kind: number, count = 0, flag = 0): number => ((flag << 31) | (kind << 24) | count) >>> 0

export interface WrittenBtf {
  readonly bytes: Buffer
  readonly names: string
}

export function makeBtf({ types, littleEndian = true, base }: MadeBtf): WrittenBtf {
  const known = base?.names ?? ''
  let names = base === undefined ? '\0' : ''
  const offsetOf = (name: string): number => {
    const all = known + names
    const at = name === '' ? 0 : all.indexOf(`\0${name}\0`) + 1
    if (name === '' || at > 0) return at
    names += `${name}\0`
    return all.length
  }
  const words = types.flat().map((word) => (typeof word === 'string' ? offsetOf(word) : word))
  const bytes = Buffer.alloc(24 + 4 * words.length + names.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setUint16(0, 0xeb9f, littleEndian)
  view.setUint8(2, 1)
  const sizes = [24, 0, 4 * words.length, 4 * words.length, names.length]
  for (const [i, size] of sizes.entries()) view.setUint32(4 + 4 * i, size, littleEndian)
  for (const [i, word] of words.entries()) view.setUint32(24 + 4 * i, word, littleEndian)
  bytes.write(names, 24 + 4 * words.length, 'latin1')
  return { bytes, names: known + names }
}
