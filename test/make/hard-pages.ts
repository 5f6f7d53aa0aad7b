// Pages that try an encoder of literals and matches: every length and distance at which its instructions
// change, and bytes that cannot be packed between them.

export type PagePart = { readonly literals: number } | { readonly copy: number; readonly distance: number }

/** Uneven bytes, the same for the same seed: the upper ones of xorshift32. */
function makeNoise(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 24
  }
}

export function noisePage(size: number, seed = 1): Uint8Array {
  return new Uint8Array(size).map(makeNoise(seed))
}

/** A page of these parts, over and over; a copy from before the page is of its first byte. */
export function partsPage(size: number, parts: readonly PagePart[], seed = 1): Uint8Array {
  const page = new Uint8Array(size)
  const noise = makeNoise(seed)
  for (let at = 0, i = 0; at < size; i++) {
    const part = parts[i % parts.length] as PagePart
    const end = Math.min(size, at + Math.max(1, 'copy' in part ? part.copy : part.literals))
    for (; at < end; at++) {
      page[at] = 'copy' in part ? (page[Math.max(0, at - part.distance)] as number) : noise()
    }
  }
  return page
}

/** Distances at which some codec's instruction for a match changes, and their neighbours. */
export const distanceLimits: readonly number[] = [
  1, 7, 0x3ff, 0x7ff, 0x800, 0xbff, 0xc00, 0x3fff, 0x4000, 0x7fff, 0x8000, 0xbffe, 0xbfff, 0xc000, 0xfff0,
].flatMap((limit) => [limit, limit + 1])

/** The same of lengths, of matches and of literals. */
export const lengthLimits: readonly number[] = [
  3, 4, 8, 9, 11, 12, 15, 16, 18, 19, 33, 34, 60, 61, 64, 65, 67, 68, 128, 238, 239, 256, 257, 273, 274, 288,
  289, 528, 529,
].flatMap((limit) => [limit, limit + 1])

/** All kinds of them, of one size. */
export function hardPages(size: number): Uint8Array[] {
  const pages = [new Uint8Array(size), new Uint8Array(size).fill(0xff), noisePage(size)]
  for (let period = 1; period <= 300; period++) {
    pages.push(partsPage(size, [{ literals: period }, { copy: size, distance: period }]))
  }
  for (const distance of distanceLimits.filter((distance) => distance < size)) {
    pages.push(partsPage(size, [{ literals: distance }, { copy: 300, distance }]))
    pages.push(
      partsPage(size, [{ literals: 5 }, { copy: 4, distance }, { literals: 2 }, { copy: 7, distance }]),
    )
  }
  for (const length of lengthLimits) {
    pages.push(partsPage(size, [{ literals: length }, { copy: 4, distance: length }]))
    pages.push(partsPage(size, [{ literals: 40 }, { copy: length, distance: 30 }]))
  }
  // Packed at one end only.
  for (const noisy of [1, 4, 100, size - 100, size - 13, size - 4]) {
    pages.push(partsPage(size, [{ literals: noisy }, { copy: size, distance: 1 }]))
    pages.push(partsPage(size, [{ copy: noisy, distance: 1 }, { literals: size }]))
  }
  return pages
}
