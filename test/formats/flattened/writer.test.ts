import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferSource, readUpTo } from '../../../src/core/byte-source.ts'
import { TargetError } from '../../../src/core/errors.ts'
import { flattenedContainer } from '../../../src/formats/flattened/reader.ts'
import { flattenedSink } from '../../../src/formats/flattened/writer.ts'
import { makeFlattened } from '../../make/flattened.ts'

/** A stream that takes one chunk at a time, later, and copies it then. */
function slowStream() {
  const chunks: Buffer[] = []
  let waiting = 0
  const stream = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, done) {
      waiting++
      setImmediate(() => {
        chunks.push(Buffer.from(chunk))
        waiting--
        done()
      })
    },
  })
  return { stream, bytes: () => Buffer.concat(chunks), waiting: () => waiting }
}

describe('flattened sink', () => {
  it('writes what makedumpfile would: header, records in the order of writing, end record', async () => {
    const { stream, bytes } = slowStream()
    const sink = flattenedSink(stream)
    await sink.write(100, Buffer.from('later'))
    await sink.write(0, Buffer.from('first'))
    await sink.finish(105)
    const expected = makeFlattened([
      [100, Buffer.from('later')],
      [0, Buffer.from('first')],
    ])
    expect(Buffer.compare(bytes(), expected)).toBe(0)
  })

  it('writes no record for nothing', async () => {
    const { stream, bytes } = slowStream()
    const sink = flattenedSink(stream)
    await sink.write(7, new Uint8Array(0))
    await sink.finish(0)
    expect(Buffer.compare(bytes(), makeFlattened([]))).toBe(0)
  })

  it('makes the file as long as it is when it ends with a hole', async () => {
    const { stream, bytes } = slowStream()
    const sink = flattenedSink(stream)
    await sink.write(0, Buffer.from('x'))
    await sink.finish(5000)
    expect(flattenedContainer.unwrap(new BufferSource(bytes())).size).toBe(5000)
  })

  it('is done with the bytes when write resolves, and holds no more than them', async () => {
    const { stream, bytes, waiting } = slowStream()
    const sink = flattenedSink(stream)
    const buffer = Buffer.alloc(1)
    for (let i = 0; i < 5; i++) {
      buffer[0] = 65 + i
      await sink.write(i, buffer)
      expect(waiting()).toBe(0)
    }
    await sink.finish(5)
    expect(Buffer.from(readUpTo(flattenedContainer.unwrap(new BufferSource(bytes())), 0, 5)).toString()).toBe(
      'ABCDE',
    )
  })

  it('carries any file cut into any pieces in any order', async () => {
    const cuts = fc.uniqueArray(fc.nat(299), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 300, maxLength: 300 }),
        cuts,
        fc.infiniteStream(fc.nat()),
        async (file, at, order) => {
          const bounds = [0, ...at.toSorted((a, b) => a - b), 300]
          const pieces = bounds
            .slice(1)
            .map((end, i) => ({ start: bounds[i] as number, end, rank: order.next().value }))
          const { stream, bytes } = slowStream()
          const sink = flattenedSink(stream)
          for (const { start, end } of pieces.toSorted((a, b) => a.rank - b.rank)) {
            await sink.write(start, file.subarray(start, end))
          }
          await sink.finish(300)
          const source = flattenedContainer.unwrap(new BufferSource(bytes()))
          expect(Buffer.compare(readUpTo(source, 0, 1000), file)).toBe(0)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('says that the reader has gone away', async () => {
    const gone = Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    const stream = new Writable({ write: (_, __, done) => done(gone) })
    const sink = flattenedSink(stream, 'standard output')
    await expect(sink.write(0, Buffer.from('x'))).rejects.toThrow(TargetError)
    await expect(sink.write(0, Buffer.from('x'))).rejects.toThrow(TargetError)
  })
})
