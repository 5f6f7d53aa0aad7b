// Filters into a file, which gets its name only after it has been read back.

import { openDump } from '../../formats/index.ts'
import { DumpError, TargetError } from '../errors.ts'
import { openKernel } from '../kernel/kernel.ts'
import { readUtsname } from '../kernel/uts.ts'
import { fileSink, OutputFile, type OutputOptions } from '../output-file.ts'
import { type DumpPath, type FilterOptions, type FilterResult, filterDump } from './index.ts'

/**
 * Filter the dump at `path` into the file `output`; unless all went well, nothing is there.
 * @throws {DumpError} as filterDump, and {TargetError} when the output does not read back as it should
 */
export async function filterToFile(
  path: DumpPath,
  output: string,
  options: FilterOptions & OutputOptions,
): Promise<FilterResult> {
  using file = new OutputFile(output, options)
  const result = await filterDump(path, fileSink(file), options)
  checkOutput(path, output, file.temporaryPath, result)
  file.commit()
  return result
}

/**
 * Read an output as its user will: it opens, holds as many pages as were written, and leads to the
 * kernel's own name through page tables and kernel data, if the source did.
 */
function checkOutput(source: DumpPath, output: string, writtenTo: string, result: FilterResult): void {
  const check = (what: string, expected: string, found: string): void => {
    if (expected === found) return
    throw new TargetError(output, `${what} reads back as ${found}, not ${expected}`, {
      hint: 'the disk or the memory of this machine may be faulty; nothing was kept',
    })
  }
  using dump = openDump(writtenTo)
  const stored = dump.memory.storedPages(result.pageSize).count()
  check('the number of pages', `${result.storedPages}`, `${stored}`)
  check("the kernel's name", kernelName(source), kernelName(writtenTo))
}

/** What uname -a says; empty when it cannot be had. */
function kernelName(path: DumpPath): string {
  using dump = openDump(path)
  try {
    return Object.values(readUtsname(openKernel(dump))).join(' ')
  } catch (error) {
    if (error instanceof DumpError) return ''
    throw error
  }
}
