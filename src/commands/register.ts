// fadump register: what the production kernel does at boot and for `echo 1 > registered`.

import { Command } from 'commander'
import { registerDump, unregisterDump } from '../core/firmware/register.ts'
import { registerReport, renderRegister } from '../core/firmware/report.ts'
import { printableLine } from '../core/printable.ts'
import type { Ui } from '../ui/output.ts'
import { openMachine } from './machine.ts'

interface Options {
  readonly unregister?: boolean
  readonly bootargsAppend?: string
}

export function registerCommand(ui: Ui): Command {
  return new Command('register')
    .description(
      'Reserves memory as the command line says (fadump=, crashkernel=), writes the structures that kernel ' +
        'and firmware share, and registers the dump. A registered machine is registered anew.',
    )
    .argument('<machine>', 'machine image')
    .option('--unregister', 'take the registration back; memory stays reserved')
    .option('--bootargs-append <text>', 'parameters that only the capture kernel is to get')
    .action((path: string, options: Options) => {
      using image = openMachine(ui, path, { write: true })
      if (options.unregister === true) {
        const wasRegistered = unregisterDump(image)
        const text = `${printableLine(path)} is ${wasRegistered ? 'not registered any more' : 'not registered; nothing to do'}`
        ui.result({ machine: path, registered: false, wasRegistered }, () => text)
        return
      }
      ui.result(registerReport(image, registerDump(image, options)), renderRegister)
    })
}
