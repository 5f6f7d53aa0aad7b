// The parts of a split dump as one kdump file. Pages are moved as they are: nothing is unpacked, so the
// result is the file that would have been written without splitting. Source: makedumpfile
// reassemble_kdump_header, reassemble_kdump_pages.

import { openBytes } from '../../formats/index.ts'
import { descriptorReader } from '../../formats/kdump/descriptors.ts'
import { descriptorSize, statusFlags } from '../../formats/kdump/layout.ts'
import type { KdumpPart } from '../../formats/kdump/memory.ts'
import { type KdumpParts, readEraseInfo, readNotes, readParts } from '../../formats/kdump/reader.ts'
import { checkWhole } from '../../formats/kdump/split.ts'
import { type KdumpLayout, makeKdumpLayout } from '../../formats/kdump/writer.ts'
import { MiB } from '../address.ts'
import type { ByteSink } from '../byte-sink.ts'
import type { ByteSource } from '../byte-source.ts'
import { InterruptedError, type Warning } from '../errors.ts'
import { openAll } from '../open-all.ts'
import { fileSink, OutputFile, type OutputOptions } from '../output-file.ts'
import { Descriptors, writeEraseInfo } from './kdump-output.ts'

export interface ReassembleOptions extends OutputOptions {
  readonly signal?: AbortSignal | undefined
  /** Bytes of packed pages copied so far, and in all. */
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined
}

export interface ReassembleResult {
  /** In the order of their pages. */
  readonly parts: readonly string[]
  readonly output: string
  readonly pageSize: number
  readonly storedPages: number
  readonly lostPages: number
  /** Bytes. */
  readonly outputSize: number
  /** A part was incomplete; `warnings` says which. */
  readonly incomplete: boolean
  readonly warnings: readonly Warning[]
}

/**
 * Put the parts of a split dump together in the file `output`; unless all went well, it is not there.
 * @throws {FormatError} they make no whole · {TargetError} · {InterruptedError}
 */
export async function reassemble(
  paths: readonly string[],
  output: string,
  options: ReassembleOptions = {},
): Promise<ReassembleResult> {
  using sources = openAll(paths, openBytes)
  const set = readParts(sources.list)
  checkWhole(set.parts)
  const layout = wholeLayout(set)
  using file = new OutputFile(output, { ...options, sources: paths })
  const result = await writeWhole(set, layout, fileSink(file), options)
  file.commit()
  return result
}

function wholeLayout({ parts, exists, stored }: KdumpParts): KdumpLayout {
  const { source, headers } = parts[0] as KdumpPart
  const { header, sub, abi } = headers
  return makeKdumpLayout({
    abi,
    blockSize: header.blockSize,
    utsname: header.utsname,
    crashTime: Number(header.seconds),
    cpuCount: header.cpuCount,
    physBase: sub.physBase,
    dumpLevel: sub.dumpLevel ?? 0,
    noteBytes: readNotes(source, headers),
    exists,
    stored,
  })
}

async function writeWhole(
  { parts, stored }: KdumpParts,
  layout: KdumpLayout,
  sink: ByteSink,
  { signal, onProgress }: ReassembleOptions,
): Promise<ReassembleResult> {
  const { header, abi, offsets } = (parts[0] as KdumpPart).headers
  const { blockSize } = header
  // Where makedumpfile puts the page of zeros: that is how its descriptors are told from others.
  const sharedZeros = offsets.descriptors + stored.count() * descriptorSize
  const descriptors = new Descriptors(layout.descriptorsAt, abi.littleEndian)
  const total = parts.reduce((sum, { source }) => sum + source.size, 0)
  let status = 0
  let end = layout.dataAt
  let done = 0
  let lostPages = 0

  for (const { offset, bytes } of layout.pieces) await sink.write(offset, bytes)
  for (const { source, headers } of parts) {
    status |= headers.header.status
    const descriptor = descriptorReader(source, headers.offsets.descriptors, abi.littleEndian)
    const run = new CopiedRun(source, sink)
    let index = 0
    for (const pages of stored.runs(headers.part.start, headers.part.end)) {
      for (let pfn = pages.start; pfn < pages.end; pfn++) {
        const { offset, size, flags, there } = descriptor(index++)
        if (layout.zeroPageAt !== undefined && offset === sharedZeros) {
          descriptors.add(layout.zeroPageAt, blockSize, 0)
        } else if (!there || offset === 0 || size > blockSize || offset + size > source.size) {
          descriptors.add(0, 0, 0)
          lostPages++
        } else {
          if (!run.append(offset, size)) await run.moveOn(offset, size, end)
          descriptors.add(end, size, flags)
          end += size
        }
        if (descriptors.isFull) {
          if (signal?.aborted) throw new InterruptedError()
          await descriptors.flush(sink)
          onProgress?.({ done: done + offset, total })
        }
      }
    }
    await run.moveOn(0, 0, end)
    done += source.size
  }
  await descriptors.flush(sink)
  const erased = readEraseInfo(parts)
  await writeEraseInfo(sink, layout, end, erased)
  end += erased.length
  const warnings = parts.flatMap((part) => partWarnings(part))
  const incomplete = lostPages > 0 || (status & statusFlags.incomplete) !== 0
  if (incomplete) status |= statusFlags.incomplete
  const word = layout.status(status)
  await sink.write(word.offset, word.bytes)
  await sink.finish(end)
  return {
    parts: parts.map(({ source }) => source.name),
    output: sink.name,
    pageSize: blockSize,
    storedPages: stored.count() - lostPages,
    lostPages,
    outputSize: end,
    incomplete,
    warnings,
  }
}

/** Packed pages that follow each other in a part, and so in the output: copied together. */
class CopiedRun {
  readonly #source: ByteSource
  readonly #sink: ByteSink
  readonly #buffer = new Uint8Array(MiB)
  #from = 0
  #size = 0
  #to = 0

  constructor(source: ByteSource, sink: ByteSink) {
    this.#source = source
    this.#sink = sink
  }

  /** False when these bytes do not follow the last ones, or would be too many. */
  append(offset: number, size: number): boolean {
    if (this.#size === 0 || offset !== this.#from + this.#size) return false
    if (this.#size + size > this.#buffer.length) return false
    this.#size += size
    return true
  }

  /** Copy what there is and begin a new run, which goes to `to`. */
  async moveOn(offset: number, size: number, to: number): Promise<void> {
    if (this.#size > 0) {
      const bytes = this.#buffer.subarray(0, this.#size)
      this.#source.read(this.#from, bytes)
      await this.#sink.write(this.#to, bytes)
    }
    this.#from = offset
    this.#size = size
    this.#to = to
  }
}

function partWarnings({ source, headers }: KdumpPart): Warning[] {
  if ((headers.header.status & statusFlags.incomplete) === 0) return [...(source.warnings ?? [])]
  const message = `${source.name} is marked incomplete: the disk was full when it was written`
  return [...(source.warnings ?? []), { code: 'INCOMPLETE', message }]
}
