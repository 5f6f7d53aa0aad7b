// Filters into a file, which gets its name only after it has been read back, or into a stream.

import { Writable } from 'node:stream'
import type { Dump } from '../../formats/dump.ts'
import { flattenedSink } from '../../formats/flattened/writer.ts'
import { openDump } from '../../formats/index.ts'
import { TargetError, tryRead } from '../errors.ts'
import { openKernel } from '../kernel/kernel.ts'
import { readUtsname } from '../kernel/uts.ts'
import { fileSink, OutputFile, type OutputOptions } from '../output-file.ts'
import { type FilterOptions, type FilterResult, filterDump } from './index.ts'

/**
 * Filter a dump into the file `output`; unless all went well, nothing is there.
 * @throws {DumpError} as filterDump, and {TargetError} when the output does not read back as it should
 */
export async function filterToFile(
  dump: Dump,
  output: string,
  options: FilterOptions & OutputOptions,
): Promise<FilterResult> {
  using file = new OutputFile(output, options)
  const sink = options.flattened ? flattenedSink(streamInto(file), output) : fileSink(file)
  const result = await filterDump(dump, sink, options)
  checkOutput(dump, output, file.temporaryPath, result)
  file.commit()
  return result
}

/** Filter a dump into a stream, flattened. The stream stays open. @throws {DumpError} */
export function filterToStream(dump: Dump, stream: Writable, options: FilterOptions): Promise<FilterResult> {
  return filterDump(dump, flattenedSink(stream), { ...options, flattened: true })
}

/** A stream that fills a file from its start. */
function streamInto(file: OutputFile): Writable {
  let end = 0
  return new Writable({
    write(chunk: Uint8Array, _, done) {
      try {
        file.write(end, chunk)
        end += chunk.length
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
}

/**
 * Read an output, all parts of one that is split, as its user will: it opens, holds as many pages as were written, and leads to the
 * kernel's own name through page tables and kernel data, if the source did.
 * @throws {DumpError} it does not
 */
export function checkOutput(
  source: Dump,
  output: string,
  writtenTo: string | readonly string[],
  result: FilterResult,
): void {
  const check = (what: string, expected: string, found: string): void => {
    if (expected === found) return
    throw new TargetError(output, `${what} reads back as ${found}, not ${expected}`, {
      hint: 'the disk or the memory of this machine may be faulty; nothing was kept',
    })
  }
  using written = openDump(writtenTo)
  const stored = written.memory.storedPages(result.pageSize).count()
  check('the number of pages', `${result.storedPages}`, `${stored}`)
  check("the kernel's name", kernelName(source), kernelName(written))
}

/** What uname -a says, read through page tables; empty when it cannot be had. */
const kernelName = (dump: Dump): string =>
  tryRead(() => Object.values(readUtsname(openKernel(dump))).join(' ')) ?? ''
