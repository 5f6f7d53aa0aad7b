// Delivers one crash in the order of what matters if the next step fails: the kernel log (small, and
// may be all there is room for), the dump, the report, and last the checksums. A directory with
// SHA256SUMS is whole; one without is not.

import type { ByteSink } from '../byte-sink.ts'
import { DumpError, TargetError, type Warning } from '../errors.ts'
import { renderChecksums } from './checksum.ts'
import type { CrashStore, SaveTarget, StoredFile } from './target.ts'

export interface CrashText {
  readonly text: string
  /** What the text should have and has not. */
  readonly missing?: string
}

export interface Crash<T> {
  /** Name of its directory; see crashFolder. */
  readonly folder: string
  /** The kernel log. @throws {DumpError} there is none to be had. */
  readonly readLog: () => CrashText
  /** Writes the dump and finishes the sink. */
  readonly writeDump: (sink: ByteSink) => Promise<T>
  /** The crash report. @throws {DumpError} */
  readonly readReport: () => CrashText
}

export interface SaveResult<T> {
  /** Path or URL of the crash's directory. */
  readonly location: string
  /** In the order they were stored. */
  readonly files: readonly StoredFile[]
  /** What `writeDump` returned. */
  readonly dump: T
  /** What could not be read from the dump and is therefore missing. */
  readonly warnings: readonly Warning[]
}

/**
 * @throws {TargetError} the target failed. Files stored before stay, SHA256SUMS is not there.
 * @throws {DumpError} the dump could not be read; as above.
 */
export async function saveCrash<T>(target: SaveTarget, crash: Crash<T>): Promise<SaveResult<T>> {
  const store = await target.begin(crash.folder)
  const files: StoredFile[] = []
  const warnings: Warning[] = []

  async function addText(name: string, read: () => CrashText): Promise<void> {
    const text = readOrWarn(name, read, warnings)
    if (text !== undefined) files.push(await writeText(store, name, text))
  }

  async function addDump(): Promise<T> {
    try {
      const { file, result } = await store.write('vmcore', crash.writeDump)
      files.push(file)
      return result
    } catch (error) {
      if (!(error instanceof TargetError)) throw error
      // The report may still find room where the dump did not.
      await addText('analysis.txt', crash.readReport).catch(() => {})
      const saved = files.map((file) => file.name).join(' and ')
      const hint = saved === '' ? {} : { hint: `${saved} could be saved; the dump was not` }
      throw new TargetError(error.target, error.reason, { ...hint, cause: error })
    }
  }

  await addText('vmcore-dmesg.txt', crash.readLog)
  const dump = await addDump()
  await addText('analysis.txt', crash.readReport)
  await writeText(store, 'SHA256SUMS', renderChecksums(files))
  return { location: store.location, files, dump, warnings }
}

/** A dump whose log or report cannot be had is still worth saving. */
function readOrWarn(name: string, read: () => CrashText, warnings: Warning[]): string | undefined {
  try {
    const { text, missing } = read()
    if (missing !== undefined) warnings.push({ code: 'PARTIAL', message: `${name}: ${missing}` })
    return text
  } catch (error) {
    if (!(error instanceof DumpError)) throw error
    warnings.push({ code: error.code, message: `no ${name}: ${error.message}` })
    return undefined
  }
}

async function writeText(store: CrashStore, name: string, text: string): Promise<StoredFile> {
  const bytes = Buffer.from(text)
  const { file } = await store.write(name, async (sink) => {
    await sink.write(0, bytes)
    await sink.finish(bytes.length)
  })
  return file
}
