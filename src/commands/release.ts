// fadump release: echo 1 > /sys/kernel/fadump/release_mem. The dump is given up, its memory is free again.

import { Command } from 'commander'
import { releaseDump, renderRelease } from '../core/capture/release.ts'
import type { Ui } from '../ui/output.ts'
import { openMachine } from './machine.ts'

export function releaseCommand(ui: Ui): Command {
  return new Command('release')
    .description('Gives up the dump of a machine: its memory is free again, and it can register anew.')
    .argument('<machine>', 'machine image in its capture boot')
    .action((path: string) => {
      using image = openMachine(ui, path, { write: true })
      ui.result(releaseDump(image), renderRelease)
    })
}
