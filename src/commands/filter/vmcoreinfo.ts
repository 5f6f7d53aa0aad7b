// fadump filter -g FILE -x VMLINUX: what a dump tool has to know of a kernel, as text.

import { vmcoreinfoOfVmlinux } from '../../core/kernel/given-vmcoreinfo.ts'
import { OutputFile } from '../../core/output-file.ts'
import { renderPairs } from '../../core/table.ts'
import type { Ui } from '../../ui/output.ts'
import { tellResult } from './messages.ts'
import type { Options } from './options.ts'

export async function writeVmcoreinfo(ui: Ui, _: readonly string[], options: Options): Promise<void> {
  const { generateVmcoreinfo: output, vmlinux } = options as Required<Options>
  const { text } = vmcoreinfoOfVmlinux(vmlinux)
  using file = new OutputFile(output, { force: options.force ?? false, sources: [vmlinux] })
  file.write(0, Buffer.from(text))
  file.commit()
  tellResult(ui, options, { vmlinux, output, text }, () =>
    renderPairs([
      ['vmlinux', vmlinux],
      ['output', `${output}, ${text.split('\n').length - 1} facts`],
    ]),
  )
}
