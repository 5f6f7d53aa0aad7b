// fadump trigger: the kernel dies, firmware preserves memory.

import { Command, Option } from 'commander'
import { crashMachine } from '../core/firmware/crash.ts'
import { type CrashCause, crashCauses } from '../core/firmware/dying-kernel.ts'
import { crashReport, renderCrash } from '../core/firmware/report.ts'
import type { Ui } from '../ui/output.ts'
import { openMachine } from './machine.ts'
import { parseCount } from './options.ts'

interface Options {
  readonly cpu?: number
  readonly reason: string
  readonly cause: CrashCause
  readonly time?: number
}

export function triggerCommand(ui: Ui): Command {
  return new Command('trigger')
    .description(
      'Crashes a registered machine: the kernel fills its crash information and calls firmware, which saves ' +
        'CPU registers and boot memory. A trigger that was interrupted is finished by the next one.',
    )
    .argument('<machine>', 'machine image')
    .option('--cpu <number>', 'CPU that crashes (default: the first online)', parseCount)
    .option('--reason <text>', 'what the kernel dies of', 'sysrq triggered crash')
    .addOption(
      new Option('--cause <kind>', 'how it dies; firmware: ended from outside, unknown to the kernel')
        .choices(crashCauses)
        .default('panic'),
    )
    .option('--time <seconds>', 'time of the crash, since 1970 (default: now)', parseCount)
    .action((path: string, options: Options) => {
      using image = openMachine(ui, path, { write: true })
      const time = options.time ?? Math.floor(Date.now() / 1000)
      const result = crashMachine(image, { ...options, cpu: options.cpu, time })
      for (const warning of result.warnings) ui.warn(warning)
      ui.result(crashReport(image, result), renderCrash)
    })
}
