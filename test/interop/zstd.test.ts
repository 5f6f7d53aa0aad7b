// What our encoders write, given to libzstd.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { zstd } from '../../src/core/codecs/zstd.ts'
import { makeFolder } from '../make/folder.ts'
import { hostilePages, realPages } from '../make/pages.ts'
import { describeWithLibrary, runJudge } from './judge.ts'

function buildJudge(): string {
  const program = join(makeFolder(), 'unpack')
  const source = join(import.meta.dirname, 'zstd-unpack.c')
  runJudge('gcc', ['-Wall', '-Wextra', '-Werror', '-o', program, source, '-lzstd'])
  return program
}

const withLength = (frame: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(frame.length)
  return Buffer.concat([length, frame])
}

describeWithLibrary('zstd.h', 'libzstd', () => {
  it.each([1, 2, 9, 19])(
    'unpacks pages of level %i',
    (level) => {
      const judge = buildJudge()
      const compress = zstd.makeCompressor?.(level)
      for (const size of [4096, 16384, 65536]) {
        const output = new Uint8Array(size)
        const frames: Buffer[] = []
        const packed: Uint8Array[] = []
        for (const page of [...realPages(size, 40), ...hostilePages(size)]) {
          const length = compress?.(page, output) ?? 0
          if (length === 0) continue
          packed.push(page)
          frames.push(withLength(output.subarray(0, length)))
        }
        expect(packed.length).toBeGreaterThan(300)
        const unpacked = runJudge(judge, [`${size}`], Buffer.concat(frames))
        expect(Buffer.compare(unpacked, Buffer.concat(packed))).toBe(0)
      }
    },
    30_000,
  )
})
