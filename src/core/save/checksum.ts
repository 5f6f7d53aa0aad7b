// SHA-256 of what is stored. Taken while writing as long as the writes come in order; a kdump file's
// header comes last, then the finished file is read again.

import { createHash } from 'node:crypto'
import { MiB } from '../address.ts'
import type { ByteSink } from '../byte-sink.ts'
import { FileSource } from '../byte-source.ts'
import type { StoredFile } from './target.ts'

export interface HashingSink extends ByteSink {
  /** Hexadecimal; undefined when the writes came out of order. Once, after `finish`. */
  digest(): string | undefined
}

export function hashingSink(sink: ByteSink): HashingSink {
  const hash = createHash('sha256')
  let hashed = 0
  let inOrder = true
  return {
    name: sink.name,
    async write(offset, bytes) {
      inOrder &&= offset === hashed
      if (inOrder) hash.update(bytes)
      hashed += bytes.length
      await sink.write(offset, bytes)
    },
    async finish(size) {
      // A hole at the end belongs to the file, too.
      inOrder &&= size === hashed
      await sink.finish(size)
    },
    digest: () => (inOrder ? hash.digest('hex') : undefined),
  }
}

/** Hexadecimal SHA-256 of a file. @throws {FormatError} when it cannot be read. */
export function hashFile(path: string): string {
  using source = new FileSource(path)
  const hash = createHash('sha256')
  const buffer = new Uint8Array(MiB)
  let offset = 0
  for (let got = source.read(0, buffer); got > 0; got = source.read(offset, buffer)) {
    hash.update(buffer.subarray(0, got))
    offset += got
  }
  return hash.digest('hex')
}

/** As `sha256sum --check` reads it. */
export const renderChecksums = (files: readonly StoredFile[]): string =>
  files.map((file) => `${file.sha256}  ${file.name}\n`).join('')
