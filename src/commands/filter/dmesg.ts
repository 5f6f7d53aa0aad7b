// fadump filter --dump-dmesg SOURCE OUTPUT: the kernel log.

import { dumpDmesg } from '../../core/kernel/dump-dmesg.ts'
import { openKernel } from '../../core/kernel/kernel.ts'
import { OutputFile } from '../../core/output-file.ts'
import { renderPairs } from '../../core/table.ts'
import { renderSize } from '../../core/units.ts'
import type { Ui } from '../../ui/output.ts'
import { tellResult } from './messages.ts'
import type { Options } from './options.ts'
import { openSource } from './source.ts'

export async function writeDmesg(ui: Ui, paths: readonly string[], options: Options): Promise<void> {
  const [source, output] = paths as [string, string]
  using dump = openSource(source, options)
  const { bytes, problems } = dumpDmesg(openKernel(dump), { sinceClear: options.partialDmesg })
  for (const message of problems) ui.incomplete({ code: 'LOG', message })
  if (output === '-') {
    ui.byteStream.write(bytes)
    return
  }
  using file = new OutputFile(output, {
    force: options.force ?? false,
    sizeLimit: options.sizeLimit,
    sources: dump.paths,
  })
  file.write(0, bytes)
  file.commit()
  const result = { source: dump.name, output, outputSize: bytes.length, problems }
  tellResult(ui, options, result, () =>
    renderPairs([
      ['source', result.source],
      ['kernel log', `${output}, ${renderSize(bytes.length)}`],
    ]),
  )
}
