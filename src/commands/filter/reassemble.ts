// fadump filter --reassemble PART... OUTPUT: a split dump as one file.

import { reassemble } from '../../core/filter/reassemble.ts'
import { renderReassembled } from '../../core/filter/render.ts'
import type { Ui } from '../../ui/output.ts'
import { startProgress, tellResult, tellWarnings } from './messages.ts'
import type { Options } from './options.ts'

export async function reassembleParts(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  const output = paths.at(-1) as string
  using progress = startProgress(ui, options, `Reassembling ${output}`)
  const result = await reassemble(paths.slice(0, -1), output, {
    force: options.force ?? false,
    sizeLimit: options.sizeLimit,
    signal: ui.signal,
    onProgress: progress.report,
  })
  tellWarnings(ui, result)
  tellResult(ui, options, result, renderReassembled)
}
