// fadump status: what a machine is, what its kernel shows in sysfs, and what was printed so far.

import { Command } from 'commander'
import { readStatus, renderStatus } from '../core/firmware/status.ts'
import type { Ui } from '../ui/output.ts'
import { openMachine } from './machine.ts'

export function statusCommand(ui: Ui): Command {
  return new Command('status')
    .description('Shows a machine: its stage, memory and reservation, /sys/kernel/fadump, all messages.')
    .argument('<machine>', 'machine image')
    .action((path: string) => {
      using image = openMachine(ui, path)
      ui.result(readStatus(image), renderStatus)
    })
}
