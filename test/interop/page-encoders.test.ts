// What our encoders write, given to the original libraries.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Codec } from '../../src/core/codecs/codec.ts'
import { lzo } from '../../src/core/codecs/lzo.ts'
import { snappy } from '../../src/core/codecs/snappy.ts'
import { zlib } from '../../src/core/codecs/zlib.ts'
import { PageBatch } from '../../src/core/page-batch.ts'
import { matchPages } from '../make/match-pages.ts'
import { hostilePages, realPages } from '../make/pages.ts'
import { describeWithLibrary, runJudge } from './judge.ts'

const batch = new PageBatch(65536)

function pack({ flag }: Codec, page: Uint8Array): Buffer {
  batch.pages.set(page)
  return Buffer.from(batch.pack(flag, page.length, new Int32Array(1), false))
}

const withLength = (packed: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(packed.length)
  return Buffer.concat([length, packed])
}

describeWithLibrary('zlib.h', 'zlib', () => {
  describeWithLibrary('lzo/lzo1x.h', 'liblzo2', () => {
    describeWithLibrary('snappy-c.h', 'and libsnappy', () => {
      beforeAll(buildJudge)
      describe.each([zlib, lzo, snappy])('$name', testCodec)
    })
  })
})

let judge: string

function buildJudge(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'fadump-test-'))
  judge = join(folder, 'judge')
  const source = join(import.meta.dirname, 'page-encoders.c')
  runJudge('gcc', ['-Wall', '-Wextra', '-Werror', '-O1', '-o', judge, source, '-lz', '-llzo2', '-lsnappy'])
  return () => rmSync(folder, { recursive: true })
}

function testCodec(codec: Codec): void {
  it.each([4096, 16384, 65536])('unpacks our pages of %i bytes', (size) => {
    const pages: Uint8Array[] = []
    const packed: Buffer[] = []
    for (const page of [...realPages(size, 40), ...hostilePages(size), ...matchPages(size)]) {
      const bytes = pack(codec, page)
      if (bytes.length === size) continue
      pages.push(page)
      packed.push(withLength(bytes))
    }
    expect(pages.length).toBeGreaterThan(300)
    const unpacked = runJudge(judge, ['unpack', codec.name, `${size}`], Buffer.concat(packed))
    expect(Buffer.compare(unpacked, Buffer.concat(pages))).toBe(0)
  })

  it.each([
    ['x86_64-7.2-small', 4096],
    ['arm64-7.2-debian', 4096],
    ['ppc64le-7.2-fadump', 4096],
    ['ppc64le-7.2-fadump', 65536],
  ] as const)('packs real pages of %s, %i bytes, little worse than the original', (name, size) => {
    const pages = realPages(size, 200, name, 37 * 4096)
    expect(pages.length).toBeGreaterThan(100)
    const ours = pages.reduce((sum, page) => sum + pack(codec, page).length, 0)
    const theirs = Number(runJudge(judge, ['pack', codec.name, `${size}`], Buffer.concat(pages)))
    expect(ours / theirs).toBeLessThan(codec === zlib ? 1.03 : 1.01)
  })
}
