// Pages made of literals and matches, to try every length and distance at which an encoder's instructions
// change.

import { noise } from './pages.ts'

export type PagePart = { readonly literals: number } | { readonly copy: number; readonly distance: number }

/** A page of these parts, over and over; a copy from before the page is of its first byte. */
export function partsPage(size: number, parts: readonly PagePart[], seed = 1): Uint8Array {
  const page = new Uint8Array(size)
  const random = noise(size, seed)
  for (let at = 0, i = 0; at < size; i++) {
    const part = parts[i % parts.length] as PagePart
    const end = Math.min(size, at + Math.max(1, 'copy' in part ? part.copy : part.literals))
    for (; at < end; at++) {
      page[at] = 'copy' in part ? (page[Math.max(0, at - part.distance)] as number) : (random[at] as number)
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

/** All of them, and the worst for an encoder: matches that gain least, literals that cost most. */
export function matchPages(size: number): Uint8Array[] {
  const far = distanceLimits.filter((distance) => distance < size)
  return [
    ...far.map((distance) => [{ literals: distance }, { copy: 300, distance }]),
    ...far.map((distance) => [
      { literals: 5 },
      { copy: 4, distance },
      { literals: 2 },
      { copy: 7, distance },
    ]),
    ...lengthLimits.map((literals) => [{ literals }, { copy: 4, distance: literals }]),
    ...lengthLimits.map((copy) => [{ literals: 40 }, { copy, distance: 30 }]),
    ...lengthLimits.map((literals) => [{ copy: size - literals, distance: 1 }, { literals }]),
  ].map((parts) => partsPage(size, parts))
}
