// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), the checksum of iSCSI and ext4. node:zlib has
// only the other CRC-32. Source: RFC 3720, appendix B.4.

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

/** Checksum of the parts, as if they were one piece; 0 ≤ crc < 2^32. */
export function crc32c(...parts: readonly Uint8Array[]): number {
  let crc = 0xffffffff
  for (const part of parts) {
    for (const byte of part) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] as number)
  }
  return ~crc >>> 0
}
