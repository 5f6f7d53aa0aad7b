// /proc/vmcore as a file: a plain copy, in which zeros stay holes.

import { setImmediate } from 'node:timers/promises'
import { MiB } from '../address.ts'
import type { ByteSource } from '../byte-source.ts'
import { InterruptedError } from '../errors.ts'
import type { OutputFile } from '../output-file.ts'
import { nonZeroRuns } from '../sparse.ts'

export interface ExportOptions {
  readonly signal?: AbortSignal
  /** Bytes. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void
}

const chunkSize = 4 * MiB

/**
 * Copy all of `source` and commit the output.
 * @throws {TargetError} the disk is full. @throws {InterruptedError} the signal came.
 */
export async function exportVmcore(
  source: ByteSource,
  output: OutputFile,
  options: ExportOptions = {},
): Promise<void> {
  const chunk = new Uint8Array(chunkSize)
  for (let offset = 0; offset < source.size; ) {
    if (options.signal?.aborted) throw new InterruptedError()
    const bytes = chunk.subarray(0, source.read(offset, chunk))
    for (const { start, end } of nonZeroRuns(bytes)) output.write(offset + start, bytes.subarray(start, end))
    offset += bytes.length
    options.onProgress?.({ done: offset, total: source.size })
    // Lets signals in.
    await setImmediate()
  }
  output.truncate(source.size)
  output.commit()
}
