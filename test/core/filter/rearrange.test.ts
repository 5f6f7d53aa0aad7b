import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rearrange } from '../../../src/core/filter/rearrange.ts'
import { makeFolder } from '../../make/folder.ts'

const word = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
const header = Buffer.concat([Buffer.from('makedumpfile\0\0\0\0'), word(1n), word(1n), Buffer.alloc(4064)])
const record = (offset: number, text: string): Buffer =>
  Buffer.concat([word(BigInt(offset)), word(BigInt(text.length)), Buffer.from(text)])
const end = Buffer.concat([word(-1n), word(-1n)])

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const output = (): string => join(makeFolder(), 'out')
const run = (parts: readonly Buffer[], to: string, size = 1 << 16) =>
  rearrange(pieces(Buffer.concat(parts), size), 'stream', to)

describe('a flattened stream', () => {
  const parts = [header, record(6, 'world'), record(0, 'hell'), record(3, 'lo'), record(12, '!'), end]

  it.each([1, 7, 16, 4096, 4097, 1 << 16])(
    'becomes the file it describes, in pieces of %i bytes',
    async (size) => {
      const to = output()
      const stream = Buffer.concat([...parts, Buffer.from('what follows does not matter')])
      const result = await rearrange(pieces(stream, size), 'stream', to)
      // The later of two records wins; what no record has is zero.
      expect(readFileSync(to, 'latin1')).toBe('hello\0world\0!')
      expect(result).toEqual({
        source: 'stream',
        output: to,
        streamSize: 4096 + 4 * 16 + 12 + 16,
        outputSize: 13,
      })
    },
  )

  it('that ends anywhere before its end record leaves nothing', async () => {
    const stream = Buffer.concat(parts)
    for (const length of [0, 15, 4095, 4096, 4100, 4112, 4115, stream.length - 16, stream.length - 1]) {
      const to = output()
      const cut = rearrange(pieces(stream.subarray(0, length), 1000), 'stream', to)
      await expect(cut, `${length} bytes`).rejects.toMatchObject({
        code: 'FORMAT',
        exitCode: 3,
        offset: length,
      })
      expect(readdirSync(join(to, '..'))).toEqual([])
    }
  })

  it.each([
    ['another signature', [Buffer.from('makedumpfileX'), header.subarray(13), end]],
    ['another type', [header.subarray(0, 16), word(2n), header.subarray(24), end]],
    ['a record of no bytes', [header, record(0, ''), end]],
    ['a record before the beginning', [header, word(-2n), word(4n), Buffer.from('text'), end]],
    ['a record of absurd size', [header, word(0n), word(2n ** 60n), end]],
    ['an end record that is half one', [header, record(0, 'text'), word(-1n), word(4n), end]],
  ])('with %s is refused', async (_, wrong) => {
    const to = output()
    await expect(run(wrong, to)).rejects.toMatchObject({ code: 'FORMAT' })
    expect(existsSync(to)).toBe(false)
  })

  it('is stopped by an interrupt', async () => {
    const stop = new AbortController()
    stop.abort()
    const to = output()
    const stream = rearrange(pieces(Buffer.concat(parts), 100), 'stream', to, { signal: stop.signal })
    await expect(stream).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(existsSync(to)).toBe(false)
  })
})
