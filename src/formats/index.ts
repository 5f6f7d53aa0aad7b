// The dump formats, in probing order. To add one: write a folder with a reader that gives a Dump, add
// a line here, add files of it to test/fixtures. Containers (a flattened stream, a machine image) are
// unwrapped into a ByteSource first, so every format may come in any of them.

import { type ByteSource, FileSource, readUpTo } from '../core/byte-source.ts'
import { FormatError, UsageError } from '../core/errors.ts'
import { openStandardInput } from '../core/standard-input.ts'
import type { Dump } from './dump.ts'
import { elfFormat } from './elf/reader.ts'
import { flattenedContainer } from './flattened/reader.ts'
import { kdumpFormat } from './kdump/reader.ts'
import { machineContainer } from './machine-image/container.ts'
import { refuseWrapped } from './wrappers.ts'

export interface Format {
  readonly name: string
  /** Is it ours? Judged by the first 4096 bytes (or fewer); never throws. */
  probe(header: Uint8Array): boolean
  /** Takes over the source. @throws {FormatError} when it is ours and broken. */
  open(source: ByteSource, container: Dump['container']): Dump
  /** Takes over the files of a dump that was split. @throws {FormatError} they do not make a whole. */
  openSet?(sources: readonly ByteSource[], container: Dump['container']): Dump
}

export interface Container {
  readonly name: Dump['container']
  /** Is it ours? Judged by the first 4096 bytes (or fewer), or by what else it reads; never throws. */
  probe(header: Uint8Array, source: ByteSource): boolean
  /** What is inside, as bytes. Takes over the source. @throws {DumpError} */
  unwrap(source: ByteSource): ByteSource
}

/** What a probe is given. */
const probeBytes = 4096

const containerList: readonly Container[] = [flattenedContainer, machineContainer]
const formatList: readonly Format[] = [kdumpFormat, elfFormat]

/**
 * Open any dump by its path, `-` being standard input; one that makedumpfile split, by the paths of all
 * its parts in any order.
 * @throws {FormatError} when no format knows it.
 */
export function openDump(path: string | readonly string[]): Dump {
  const sources: ByteSource[] = []
  return closingOnError(sources, () => {
    for (const one of typeof path === 'string' ? [path] : path) sources.push(openPath(one))
    return openSources(sources)
  })
}

const openPath = (path: string): ByteSource => (path === '-' ? openStandardInput() : new FileSource(path))

/** The bytes of a dump file, taken out of what it may be wrapped in. @throws {FormatError} */
export function openBytes(path: string): ByteSource {
  const source = openPath(path)
  return closingOnError([source], () => unwrap(source, 'file').source)
}

/** Takes over the source. */
export function openSource(source: ByteSource, container: Dump['container'] = 'file'): Dump {
  return closingOnError([source], () => openSources([source], container))
}

/** Takes over the sources of a split dump, or one of a whole dump. */
function openSources(sources: readonly ByteSource[], container: Dump['container'] = 'file'): Dump {
  const inner = sources.map((source) => unwrap(source, container))
  const first = inner[0]
  if (first === undefined) throw new UsageError('no dump was named')
  return closingOnError(
    inner.map(({ source }) => source),
    () => {
      const format = findFormat(first.source)
      if (inner.length === 1) return format.open(first.source, first.container)
      for (const { source } of inner) checkPart(source, format)
      return (format.openSet as NonNullable<Format['openSet']>)(
        inner.map(({ source }) => source),
        first.container,
      )
    },
  )
}

function unwrap(
  source: ByteSource,
  container: Dump['container'],
): { readonly source: ByteSource; readonly container: Dump['container'] } {
  const header = readUpTo(source, 0, probeBytes)
  const wrapper = container === 'file' ? containerList.find((one) => one.probe(header, source)) : undefined
  return wrapper === undefined
    ? { source, container }
    : { source: wrapper.unwrap(source), container: wrapper.name }
}

function findFormat(source: ByteSource): Format {
  const header = readUpTo(source, 0, probeBytes)
  const format = formatList.find((candidate) => candidate.probe(header))
  if (format !== undefined) return format
  refuseWrapped(header, source.name)
  throw new FormatError({
    file: source.name,
    offset: 0,
    field: 'not a dump',
    expected: 'an ELF core, a kdump-compressed or flattened file, or a machine image',
    found:
      header.length === 0 ? 'an empty file' : `bytes ${Buffer.from(header.subarray(0, 8)).toString('hex')}`,
  })
}

function checkPart(source: ByteSource, format: Format): void {
  if (format.openSet !== undefined && findFormat(source) === format) return
  throw new FormatError({
    file: source.name,
    field: 'several files were named',
    expected: 'the parts of one split kdump-compressed dump',
    hint: 'name one dump, or all parts of a split one',
  })
}

function closingOnError<T>(sources: readonly ByteSource[], open: () => T): T {
  try {
    return open()
  } catch (error) {
    for (const source of sources) source[Symbol.dispose]()
    throw error
  }
}
