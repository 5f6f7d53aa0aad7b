// fadump boot-capture: the memory-preserving boot, to the point where /proc/vmcore can be read.

import { Command } from 'commander'
import { bootCapture } from '../core/capture/boot.ts'
import { exportVmcore } from '../core/capture/export.ts'
import { captureReport, renderCapture } from '../core/capture/report.ts'
import { OutputFile } from '../core/output-file.ts'
import { openVmcore } from '../formats/machine-image/vmcore.ts'
import type { Ui } from '../ui/output.ts'
import { openMachine } from './machine.ts'
import { forceOption } from './options.ts'

interface Options {
  readonly vmcore?: string
  readonly force?: boolean
}

export function bootCaptureCommand(ui: Ui): Command {
  return new Command('boot-capture')
    .description(
      'Boots the capture kernel over a crashed machine: it finds the dump, reserves all memory above its ' +
        'own, checks what kernel and firmware left, and builds notes and ELF core header. A dump that it ' +
        'refuses is lost, as in reality, and the machine runs on in production.',
    )
    .argument('<machine>', 'machine image')
    .option('--vmcore <file>', 'also write what /proc/vmcore reads')
    .addOption(forceOption())
    .action(async (path: string, options: Options) => {
      using image = openMachine(ui, path, { write: true })
      // A name that cannot be written to is found out before the machine boots.
      using output = options.vmcore === undefined ? undefined : new OutputFile(options.vmcore, options)
      const boot = bootCapture(image)
      using vmcore = openVmcore(image)
      if (output !== undefined) {
        using progress = ui.progress(`Writing ${output.path}`)
        await exportVmcore(vmcore, output, { signal: ui.signal, onProgress: progress.report })
      }
      ui.result(captureReport(path, boot, { size: vmcore.size, path: options.vmcore }), renderCapture)
    })
}
