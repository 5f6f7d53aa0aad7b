// fadump filter --dry-run SOURCE [OUTPUT]: how many pages would stay and what they would come to.

import { estimateFilter } from '../../core/filter/estimate.ts'
import { renderEstimate } from '../../core/filter/render.ts'
import type { Ui } from '../../ui/output.ts'
import { startProgress, tellFiltered } from './messages.ts'
import { filterOptions, formatOptions, type Options } from './options.ts'
import { openSource } from './source.ts'

export async function estimateDump(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  const sources = paths.length === 1 ? paths : paths.slice(0, -1)
  using dump = openSource(sources, options)
  using progress = startProgress(ui, options, `Counting pages of ${sources.join(' ')}`)
  const result = await estimateFilter(dump, 'nothing is written', {
    ...filterOptions(options),
    ...formatOptions(options),
    signal: ui.signal,
    onProgress: progress.report,
  })
  tellFiltered(ui, options, result, renderEstimate)
}
