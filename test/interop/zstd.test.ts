// What our encoder and the levels write, given to libzstd.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Compressor } from '../../src/core/codecs/codec.ts'
import { zstd } from '../../src/core/codecs/zstd.ts'
import { PageBatch } from '../../src/core/page-batch.ts'
import { makeFolder } from '../make/folder.ts'
import { matchPages } from '../make/match-pages.ts'
import { hostilePages, realPages } from '../make/pages.ts'
import { describeWithLibrary, runJudge } from './judge.ts'

function buildJudge(): string {
  const program = join(makeFolder(), 'judge')
  const source = join(import.meta.dirname, 'zstd.c')
  runJudge('gcc', ['-Wall', '-Wextra', '-Werror', '-O1', '-o', program, source, '-lzstd'])
  return program
}

const batch = new PageBatch(65536)

const pack: Compressor = (page, output) => {
  batch.pages.set(page)
  const packed = batch.pack(zstd.flag, page.length, new Int32Array(1), false)
  output.set(packed)
  return packed.length < page.length ? packed.length : 0
}

const withLength = (frame: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(frame.length)
  return Buffer.concat([length, frame])
}

const oddPages = (size: number): Uint8Array[] => [...hostilePages(size), ...matchPages(size)]

describeWithLibrary('zstd.h', 'libzstd', () => {
  function expectUnpacks(judge: string, size: number, pages: Uint8Array[], compress: Compressor): void {
    const output = new Uint8Array(size)
    const frames: Buffer[] = []
    const packed: Uint8Array[] = []
    for (const page of pages) {
      const length = compress(page, output)
      if (length === 0) continue
      packed.push(page)
      frames.push(withLength(output.subarray(0, length)))
    }
    expect(packed.length).toBeGreaterThan(pages.length / 2)
    const unpacked = runJudge(judge, ['unpack', `${size}`], Buffer.concat(frames))
    expect(Buffer.compare(unpacked, Buffer.concat(packed))).toBe(0)
  }

  it.each([4096, 16384, 65536])('unpacks our pages of %i bytes', (size) => {
    expectUnpacks(buildJudge(), size, [...realPages(size, 40), ...oddPages(size)], pack)
  })

  it.each([1, 9, 19])('unpacks pages of level %i', (level) => {
    const judge = buildJudge()
    const compress = zstd.makeCompressor?.(level) as Compressor
    for (const size of [4096, 65536]) {
      const pages = oddPages(size).filter((_, i) => i % 8 === 0)
      expectUnpacks(judge, size, [...realPages(size, 20), ...pages], compress)
    }
  })

  it.each([
    ['x86_64-7.2-small', 4096],
    ['arm64-7.2-debian', 4096],
    ['ppc64le-7.2-fadump', 4096],
    ['ppc64le-7.2-fadump', 65536],
  ] as const)(
    'packs real pages of %s, %i bytes, to two hundredths more than level 1 of the original at most',
    (name, size) => {
      const pages = realPages(size, 200, name, 37 * 4096)
      expect(pages.length).toBeGreaterThan(100)
      const output = new Uint8Array(size)
      const ours = pages.reduce((sum, page) => sum + (pack(page, output) || size), 0)
      const theirs = Number(runJudge(buildJudge(), ['pack', `${size}`], Buffer.concat(pages)))
      expect(ours / theirs).toBeLessThan(1.02)
    },
  )
})
