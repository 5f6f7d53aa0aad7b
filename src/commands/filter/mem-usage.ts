// fadump filter --mem-usage SOURCE: what could be left out.

import { measureMemoryUsage, renderMemoryUsage } from '../../core/filter/memory-usage.ts'
import type { Ui } from '../../ui/output.ts'
import { startProgress } from './messages.ts'
import type { Options } from './options.ts'
import { openSource } from './source.ts'

export async function showMemoryUsage(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  using dump = openSource(paths, options)
  using progress = startProgress(ui, options, `Counting pages of ${dump.name}`)
  const usage = await measureMemoryUsage(dump, {
    threads: options.numThreads,
    signal: ui.signal,
    onProgress: progress.report,
  })
  for (const warning of usage.warnings) ui.warn(warning)
  ui.result(usage, renderMemoryUsage)
}
