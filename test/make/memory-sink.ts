// A sink that keeps what is written, and holds writers to the contract of ByteSink: no range twice.

import type { ByteSink } from '../../src/core/byte-sink.ts'

export interface MemorySink extends ByteSink {
  /** The finished output. */
  bytes(): Uint8Array
  /** In the order of writing. */
  readonly writes: readonly { readonly offset: number; readonly bytes: Uint8Array }[]
}

export function makeMemorySink(): MemorySink {
  const writes: { offset: number; bytes: Uint8Array }[] = []
  let size: number | undefined
  return {
    name: 'memory',
    writes,
    async write(offset, bytes) {
      if (size !== undefined) throw new Error('written after the end')
      writes.push({ offset, bytes: bytes.slice() })
    },
    async finish(end) {
      size = end
    },
    bytes() {
      if (size === undefined) throw new Error('not finished')
      const sorted = writes.toSorted((a, b) => a.offset - b.offset)
      const all = new Uint8Array(size)
      let end = 0
      for (const { offset, bytes } of sorted) {
        if (offset < end) throw new Error(`byte ${offset} was written twice`)
        end = offset + bytes.length
        if (end > size) throw new Error(`byte ${end - 1} is behind the end ${size}`)
        all.set(bytes, offset)
      }
      return all
    },
  }
}
