import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../src/core/byte-source.ts'
import { openSource } from '../../src/formats/index.ts'

const refusal = (bytes: Uint8Array): unknown => {
  try {
    openSource(new BufferSource(bytes, 'vmcore'))
  } catch (error) {
    return error
  }
  return undefined
}

describe('a dump that is packed as a whole', () => {
  it.each([
    ['gzip', gzipSync('dump'), 'gunzip -k'],
    ['zstd', Buffer.from('28b52ffd2004210000', 'hex'), 'zstd -d'],
    ['xz', Buffer.from('fd377a585a000004', 'hex'), 'unxz -k'],
  ])('by %s is refused with the command that unpacks it', (name, bytes, command) => {
    expect(refusal(bytes)).toMatchObject({
      message: 'vmcore: not a dump at byte 0x0',
      found: `a file packed with ${name}`,
      hint: `unpack it first, with ${command}`,
    })
  })

  it('is not seen in any other file', () => {
    expect(refusal(Buffer.from('hello'))).toMatchObject({ found: 'bytes 68656c6c6f', hint: undefined })
    expect(refusal(new Uint8Array(0))).toMatchObject({ found: 'an empty file' })
  })
})
