// Pages that a packer meets, and pages that nobody has but a packer must not be wrong about.

import { closeSync, openSync, readSync } from 'node:fs'
import { type FixtureCase, fixture } from '../fixtures/index.ts'
import { samplePage } from './sample-page.ts'

/** Pages of a real kernel's memory that are not of one byte, at most `count` of them, `step` bytes apart. */
export function realPages(
  size: number,
  count: number,
  from: FixtureCase = 'x86_64-7.2-small',
  // No multiple of a large page.
  step = 11 * 4096,
): Uint8Array[] {
  const file = openSync(fixture(`${from}/vmcore`), 'r')
  const found: Uint8Array[] = []
  // Past the headers.
  for (let at = 0x100000; found.length < count; at += step) {
    const page = new Uint8Array(size)
    if (readSync(file, page, 0, size, at) < size) break
    if (page.some((byte) => byte !== page[0])) found.push(page)
  }
  closeSync(file)
  return found
}

/** The same at every run. */
export function noise(size: number, seed: number): Uint8Array {
  let state = seed
  return new Uint8Array(size).map(() => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    return state >>> 23
  })
}

/** What a search for repeats and an entropy code can stumble over. */
export function hostilePages(size: number): Uint8Array[] {
  const random = noise(size, 1)
  const pages = [random, new Uint8Array(size), new Uint8Array(size).fill(0xff), samplePage(size)]
  const page = (byte: (at: number) => number): void => {
    pages.push(new Uint8Array(size).map((_, at) => byte(at)))
  }
  for (let period = 1; period <= 300; period++) page((at) => random[at % period] as number)
  // Noise that comes back after a distance, up to the longest.
  for (let distance = 256; distance < size; distance *= 2) {
    for (const off of [-1, 0, 1]) page((at) => random[at % (distance + off)] as number)
    page((at) => (at < size - distance ? random[at] : random[at - size + distance]) as number)
  }
  // Noise in front, a run behind, cut everywhere a format counts in another way; and the other way round.
  for (const cut of [
    1,
    2,
    3,
    7,
    8,
    31,
    32,
    63,
    64,
    127,
    128,
    255,
    256,
    1023,
    1024,
    size - 8,
    size - 5,
    size - 1,
  ]) {
    page((at) => (at < cut ? random[at] : 7) as number)
    page((at) => (at < size - cut ? 7 : random[at]) as number)
  }
  // Few symbols, in every proportion; one rare one; all 256 equally often; steep.
  for (let symbols = 2; symbols <= 16; symbols++) page((at) => (random[at] as number) % symbols)
  page((at) => ((random[at] as number) > 250 ? 1 : 0))
  page((at) => (at === (size >> 1) + 3 ? 200 : 100))
  page((at) => at & 0xff)
  page((at) => Math.clz32(((random[at] as number) << 16) | (random[(at + 1) % size] as number)))
  // Distributions from flat to steep, alone and with repeats.
  for (let power = 1; power <= 12; power++) {
    const skewed = random.map((byte) => 256 * (byte / 256) ** power)
    pages.push(skewed)
    page((at) => skewed[at % (40 * power) < 13 ? at : at % 97] as number)
  }
  // A literal between matches: many short sequences. Growing counters. Repeats in turn.
  page((at) => (at % 9 === 0 ? random[at] : random[at % 9]) as number)
  page((at) => (at % 8 === 0 ? at >> 3 : at % 8 === 1 ? at >> 11 : 0x88))
  page((at) => random[(at % 40 < 20 ? at : at * 2) % 97] as number)
  return pages
}
