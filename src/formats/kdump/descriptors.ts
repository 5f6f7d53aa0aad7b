// Finds the descriptor of a page: the descriptors stand in the order of page frames, one for each bit
// that is set in the second bitmap, so a page's number among them is the count of set bits before it.

import type { Bitmap } from '../../core/bitmap.ts'
import type { ByteSource } from '../../core/byte-source.ts'
import { makePageCache } from '../../core/memory/page-cache.ts'
import { descriptorSize } from './layout.ts'

/** Pages whose bits are counted together. */
const group = 512

/** How many bits are set before a page frame; the counts of whole groups are kept. */
export function countSetBits(bitmap: Bitmap): (pfn: number) => number {
  const before = new Float64Array(Math.ceil(bitmap.length / group) + 1)
  for (let i = 1; i < before.length; i++) {
    before[i] = (before[i - 1] as number) + bitmap.count((i - 1) * group, i * group)
  }
  return (pfn) => {
    const whole = Math.floor(pfn / group)
    return (before[whole] as number) + bitmap.count(whole * group, pfn)
  }
}

/** Of the descriptor read last; reused, so take what is needed at once. */
export interface Descriptor {
  offset: number
  size: number
  flags: number
  /** False when the file ends before it. */
  there: boolean
}

/** Reads a descriptor by its number. */
export type DescriptorReader = (index: number) => Readonly<Descriptor>

/** @param start of the descriptors, bytes into the file; a few hundred are read at a time. */
export function descriptorReader(source: ByteSource, start: number, littleEndian: boolean): DescriptorReader {
  const perPage = 256
  const pageSize = perPage * descriptorSize
  const descriptor: Descriptor = { offset: 0, size: 0, flags: 0, there: false }
  const cache = makePageCache({
    pageSize,
    limit: 128 * pageSize,
    load: (page, into) => {
      into.fill(0, source.read(start + page * pageSize, into))
    },
  })
  return (index) => {
    const inPage = index % perPage
    const bytes = cache.get((index - inPage) / perPage)
    const at = inPage * descriptorSize
    const first = word(bytes, at, littleEndian)
    const second = word(bytes, at + 4, littleEndian)
    descriptor.offset = littleEndian ? first + second * 2 ** 32 : second + first * 2 ** 32
    descriptor.size = word(bytes, at + 8, littleEndian)
    descriptor.flags = word(bytes, at + 12, littleEndian)
    descriptor.there = start + (index + 1) * descriptorSize <= source.size
    return descriptor
  }
}

function word(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  const a = bytes[at] as number
  const b = bytes[at + 1] as number
  const c = bytes[at + 2] as number
  const d = bytes[at + 3] as number
  return (littleEndian ? a | (b << 8) | (c << 16) | (d << 24) : (a << 24) | (b << 16) | (c << 8) | d) >>> 0
}
