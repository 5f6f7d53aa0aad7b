// Is this a struct page at all? Memory that firmware or a wild pointer overwrote still parses, and a
// filter that believes it throws the wrong pages away. In an intact dump no record is impossible.

import type { PageFields } from './page-fields.ts'
import type { StructPages } from './struct-pages.ts'

/** Whether the record at `at` of the current piece cannot be a struct page that the kernel wrote. */
export type ImpossibleTest = (at: number) => boolean

const twoTo32 = 2 ** 32

export function makeImpossibleTest(fields: PageFields, pages: StructPages): ImpossibleTest {
  const { littleEndian, compoundLow, refcount, mapcount, mapcountIsSmall } = fields
  const { view } = pages
  const hasHead = makeHeadTest(fields, pages)
  return (at) => {
    if (view.getInt32(at + refcount, littleEndian) < 0) return true
    const tail = compoundLow !== undefined && (view.getUint32(at + compoundLow, littleEndian) & 1) !== 0
    if (tail) return !hasHead(at)
    const top = view.getUint32(at + mapcount, littleEndian) >>> 24
    return mapcountIsSmall && top >= 0x10 && top < 0xf0
  }
}

/** Whether the head that the tail at `at` names is a struct page with PG_head. */
function makeHeadTest(fields: PageFields, pages: StructPages) {
  const { littleEndian, compoundLow = 0, compoundHigh, flags, flag, size } = fields
  const { view } = pages
  if (flag.head === 0) return () => true
  return (at: number): boolean => {
    const low = view.getUint32(at + compoundLow, littleEndian) - 1
    const high = view.getUint32(at + compoundHigh, littleEndian)
    const { firstPfn, endPfn } = pages.section
    const inSection = (pages.first - firstPfn) * size + at
    const headAt = isMask(high, low)
      ? inSection - ((pages.baseLow + inSection) % (twoTo32 - low))
      : (high - pages.baseHigh) * twoTo32 + (low - pages.baseLow)
    const index = headAt / size
    if (index < 0 || !Number.isInteger(index) || index >= endPfn - firstPfn) return false
    const inPiece = firstPfn + index - pages.first
    if (inPiece < 0 || inPiece >= pages.end - pages.first) return true
    return (view.getUint32(inPiece * size + flags, littleEndian) & flag.head) !== 0
  }
}

/**
 * Since Linux 7.1 a kernel whose struct page is a power of two in size may store, instead of the
 * head's address, the mask that turns the tail's address into it: ones, then zeros.
 */
function isMask(high: number, low: number): boolean {
  const cleared = twoTo32 - low
  return high === 0xffffffff && cleared <= twoTo32 / 2 && (cleared & (cleared - 1)) === 0
}
