import { describe, expect, it } from 'vitest'
import { crc32c } from '../../src/core/crc32c.ts'

describe('crc32c', () => {
  it('gives the check value of the catalogue of CRC algorithms', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
  })

  it('gives the examples of RFC 3720 B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43)
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e)
  })

  it('takes parts as one piece', () => {
    expect(crc32c(Buffer.from('1234'), new Uint8Array(), Buffer.from('56789'))).toBe(0xe3069283)
  })
})
