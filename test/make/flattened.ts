// Builds a flattened stream in memory from its records.

export interface FlattenedOptions {
  /** Bytes of the end record that are there. */
  readonly endBytes?: number
  readonly type?: bigint
}

export function makeFlattened(
  records: readonly (readonly [offset: number, bytes: Uint8Array])[],
  { endBytes = 16, type = 1n }: FlattenedOptions = {},
): Uint8Array {
  const header = Buffer.alloc(4096)
  header.write('makedumpfile')
  header.writeBigInt64BE(type, 16)
  header.writeBigInt64BE(1n, 24)
  const parts = records.map(([offset, bytes]) => {
    const record = Buffer.alloc(16)
    record.writeBigInt64BE(BigInt(offset), 0)
    record.writeBigInt64BE(BigInt(bytes.length), 8)
    return Buffer.concat([record, bytes])
  })
  return Buffer.concat([header, ...parts, Buffer.alloc(endBytes, 0xff)])
}
