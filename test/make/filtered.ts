// Filters bytes into bytes, as tests of the outputs need it.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BufferSource } from '../../src/core/byte-source.ts'
import { type FilterOptions, type FilterResult, filterDump } from '../../src/core/filter/index.ts'
import type { Dump } from '../../src/formats/dump.ts'
import { openDump, openSource } from '../../src/formats/index.ts'
import { makeFolder } from './folder.ts'
import { makeMemorySink } from './memory-sink.ts'

export interface Filtered {
  readonly result: FilterResult
  readonly bytes: Uint8Array
  readonly view: DataView
  /** The output opened as a dump. */
  readonly dump: Dump
}

export async function filterBytes(
  source: Uint8Array,
  options: Partial<FilterOptions> = {},
): Promise<Filtered> {
  const path = join(makeFolder(), 'source')
  writeFileSync(path, source)
  return filterFile(path, options)
}

export async function filterFile(path: string, options: Partial<FilterOptions> = {}): Promise<Filtered> {
  using dump = openDump(path)
  const sink = makeMemorySink()
  const result = await filterDump(dump, sink, { level: 0, format: 'kdump', threads: 0, ...options })
  const bytes = sink.bytes()
  return {
    result,
    bytes,
    view: new DataView(bytes.buffer),
    dump: openSource(new BufferSource(bytes, 'output')),
  }
}
