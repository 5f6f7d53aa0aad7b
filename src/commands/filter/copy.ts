// fadump filter SOURCE OUTPUT: the dump without some of its pages.

import { filterToFile, filterToStream } from '../../core/filter/output.ts'
import { renderFilterResult } from '../../core/filter/render.ts'
import type { Ui } from '../../ui/output.ts'
import { startProgress, tellFiltered } from './messages.ts'
import { filterOptions, formatOptions, type Options } from './options.ts'
import { openSource } from './source.ts'

export async function copyDump(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  const sources = paths.length === 1 ? paths : paths.slice(0, -1)
  const output = paths.length === 1 ? '-' : (paths.at(-1) as string)
  using dump = openSource(sources, options)
  using progress = startProgress(ui, options, `Filtering ${sources.join(' ')}`)
  const work = {
    ...filterOptions(options),
    ...formatOptions(options),
    signal: ui.signal,
    onProgress: progress.report,
  }
  const result =
    output === '-' ? await filterToStream(dump, ui.byteStream, work) : await filterToFile(dump, output, work)
  tellFiltered(ui, options, result, renderFilterResult, output === '-')
}
