// fadump filter --split SOURCE OUTPUT OUTPUT...: the dump as several files.

import { KiB } from '../../core/address.ts'
import { renderFilterResult } from '../../core/filter/render.ts'
import { filterToParts } from '../../core/filter/split.ts'
import type { Ui } from '../../ui/output.ts'
import { startProgress, tellFiltered } from './messages.ts'
import { filterOptions, type Options } from './options.ts'
import { openSource } from './source.ts'

export async function splitDump(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  const [path = '', ...outputs] = paths
  using dump = openSource(path, options)
  using progress = startProgress(ui, options, `Filtering ${path}`)
  const result = await filterToParts(dump, outputs, {
    ...filterOptions(options),
    unit: options.splitblockSize === undefined ? undefined : options.splitblockSize * KiB,
    signal: ui.signal,
    onProgress: progress.report,
  })
  tellFiltered(ui, options, result, renderFilterResult)
}
