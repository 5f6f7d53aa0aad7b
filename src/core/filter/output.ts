// Filters into a file, which gets its name only after it has been read back, or into a stream.

import { existsSync } from 'node:fs'
import { Writable } from 'node:stream'
import type { Dump } from '../../formats/dump.ts'
import { flattenedSink } from '../../formats/flattened/writer.ts'
import { openDump } from '../../formats/index.ts'
import { NoSpaceError, TargetError, tryRead } from '../errors.ts'
import { openKernel } from '../kernel/kernel.ts'
import { readUtsname } from '../kernel/uts.ts'
import { fileSink, OutputFile, type OutputOptions } from '../output-file.ts'
import { type FilterOptions, type FilterResult, filterDump, filterInto } from './index.ts'

/** Levels to try one after the other when the output does not fit (makedumpfile -d 11,31). */
export interface NextLevels {
  readonly nextLevels?: readonly number[] | undefined
}

export interface FileOptions extends FilterOptions, OutputOptions, NextLevels {}

/**
 * Filter a dump into the file `output`; unless all went well, nothing is there. When it does not fit,
 * not even at the last level, the part that does stays as `OUTPUT.incomplete`.
 * @throws {DumpError} as filterDump, and {TargetError} when the output does not read back as it should
 * @throws {NoSpaceError} says what was kept
 */
export function filterToFile(dump: Dump, output: string, options: FileOptions): Promise<FilterResult> {
  return tryLevels(options, (level, isLast) => filterOnce(dump, output, { ...options, level }, isLast))
}

/** Filter at one level after the other until the output fits. @throws {NoSpaceError} it never does */
export async function tryLevels<Result extends FilterResult>(
  { level, nextLevels = [] }: NextLevels & { readonly level: number },
  filter: (level: number, isLast: boolean) => Promise<Result>,
): Promise<Result> {
  const [next, ...others] = nextLevels
  try {
    return await filter(level, next === undefined)
  } catch (error) {
    if (next === undefined || !(error instanceof NoSpaceError)) throw error
    const message = `${error.message}; dump level ${next} is tried instead of ${level}`
    const result = await tryLevels({ level: next, nextLevels: others }, filter)
    return { ...result, warnings: [{ code: 'NEXT_LEVEL', message }, ...result.warnings] }
  }
}

async function filterOnce(
  dump: Dump,
  output: string,
  options: FileOptions,
  keepsIncomplete: boolean,
): Promise<FilterResult> {
  using file = new OutputFile(output, { ...options, sources: dump.paths })
  const { result, full } = options.flattened
    ? { result: await filterToStream(dump, streamInto(file), options, output), full: undefined }
    : await filterInto(dump, fileSink(file), options)
  if (full !== undefined) throw keepsIncomplete ? keepIncomplete([file], result, full) : full
  checkOutput(dump, output, file.temporaryPath, result)
  file.commit()
  return result
}

/** Give the parts that were written a name that says what they are. Returns the error that tells. */
export function keepIncomplete(
  files: readonly OutputFile[],
  { storedPages, pages }: FilterResult,
  full: NoSpaceError,
): NoSpaceError {
  const kept = files.map((file) => {
    const name = freeName(`${file.path}.incomplete`)
    file.commit(name)
    return name
  })
  const reason = `${full.reason}; ${storedPages} of ${storedPages + pages.lost} pages are in ${kept.join(' ')}`
  return new NoSpaceError(full.target, reason, 0, {
    hint: 'the incomplete dump can be analyzed; for a whole one free some space, or give a higher dump level',
    cause: full,
  })
}

function freeName(name: string): string {
  let free = name
  for (let i = 2; existsSync(free); i++) free = `${name}.${i}`
  return free
}

/** Filter a dump into a stream, flattened. The stream stays open. @throws {DumpError} */
export async function filterToStream(
  dump: Dump,
  stream: Writable,
  options: FilterOptions,
  name?: string,
): Promise<FilterResult> {
  const sink = flattenedSink(stream, name)
  const result = await filterDump(dump, sink, { ...options, flattened: true })
  return { ...result, writtenBytes: sink.sent }
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
  const name = kernelName(written)
  // The page with the name may be one that could not be read.
  if (name !== '' || result.pages.lost === 0) check("the kernel's name", kernelName(source), name)
}

/** What uname -a says, read through page tables; empty when it cannot be had. */
const kernelName = (dump: Dump): string =>
  tryRead(() => Object.values(readUtsname(openKernel(dump))).join(' ')) ?? ''
