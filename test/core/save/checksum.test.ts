import { describe, expect, it } from 'vitest'
import { hashingSink, renderChecksums } from '../../../src/core/save/checksum.ts'

// printf abc | sha256sum
const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
const nowhere = { name: 'nowhere', write: async () => {}, finish: async () => {} }

describe('checksum while writing', () => {
  it('is taken when the writes come in order', async () => {
    const sink = hashingSink(nowhere)
    await sink.write(0, Buffer.from('a'))
    await sink.write(1, Buffer.from('bc'))
    await sink.finish(3)
    expect(sink.digest()).toBe(abc)
  })

  it('is refused when a header comes last', async () => {
    const sink = hashingSink(nowhere)
    await sink.write(1, Buffer.from('bc'))
    await sink.write(0, Buffer.from('a'))
    await sink.finish(3)
    expect(sink.digest()).toBeUndefined()
  })

  it('is refused when the file ends in a hole', async () => {
    const sink = hashingSink(nowhere)
    await sink.write(0, Buffer.from('abc'))
    await sink.finish(4096)
    expect(sink.digest()).toBeUndefined()
  })
})

it('checksums are lines that sha256sum reads', () => {
  expect(renderChecksums([{ name: 'vmcore', size: 3, sha256: abc }])).toBe(`${abc}  vmcore\n`)
})
