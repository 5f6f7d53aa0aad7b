// The dump formats, in probing order. To add one: write a folder with a reader that gives a Dump, add
// a line here, add files of it to test/fixtures. Containers (a flattened stream, a machine image) are
// unwrapped into a ByteSource first, so every format may come in any of them.

import { type ByteSource, FileSource, readUpTo } from '../core/byte-source.ts'
import { FormatError } from '../core/errors.ts'
import type { Dump } from './dump.ts'
import { elfFormat } from './elf/reader.ts'

export interface Format {
  readonly name: string
  /** Is it ours? Judged by the first 4096 bytes (or fewer); never throws. */
  probe(header: Uint8Array): boolean
  /** Takes over the source. @throws {FormatError} when it is ours and broken. */
  open(source: ByteSource, container: Dump['container']): Dump
}

export interface Container {
  readonly name: Dump['container']
  probe(header: Uint8Array): boolean
  /** What is inside, as bytes. Takes over the source. @throws {DumpError} */
  unwrap(source: ByteSource): ByteSource
}

export const containerList: readonly Container[] = []
export const formatList: readonly Format[] = [elfFormat]

/** Open any dump by its path. @throws {FormatError} when no format knows it. */
export function openDump(path: string): Dump {
  return openSource(new FileSource(path))
}

export function openSource(source: ByteSource, container: Dump['container'] = 'file'): Dump {
  try {
    const header = readUpTo(source, 0, 4096)
    for (const wrapper of container === 'file' ? containerList : []) {
      if (wrapper.probe(header)) return openSource(wrapper.unwrap(source), wrapper.name)
    }
    const format = formatList.find((candidate) => candidate.probe(header))
    if (format !== undefined) return format.open(source, container)
    throw new FormatError({
      file: source.name,
      offset: 0,
      field: 'not a dump',
      expected: 'an ELF core, a kdump-compressed or flattened file, or a machine image',
      found: `bytes ${Buffer.from(header.subarray(0, 8)).toString('hex')}`,
    })
  } catch (error) {
    source[Symbol.dispose]()
    throw error
  }
}
