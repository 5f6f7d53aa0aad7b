// fadump filter --vtop ADDRESS SOURCE [OUTPUT]: where a virtual address is; then the filter, if one is asked for.

import { openKernel } from '../../core/kernel/kernel.ts'
import { renderTranslation, translateAddress } from '../../core/kernel/vtop.ts'
import type { Ui } from '../../ui/output.ts'
import { copyDump } from './copy.ts'
import type { Options } from './options.ts'
import { openSource } from './source.ts'

export async function showTranslation(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  const isFiltered = paths.length > 1 || options.flatten === true
  {
    using dump = openSource(paths[0] as string, options)
    const result = translateAddress(openKernel(dump), options.vtop as bigint)
    if (isFiltered) ui.note(renderTranslation(result))
    else ui.result(result, renderTranslation)
  }
  if (isFiltered) await copyDump(ui, paths, options)
}
