// fadump gen-elfcorehdr: the ELF core header the capture kernel builds, by itself. Changes nothing.

import { Command } from 'commander'
import { readElfcorehdr, writeElfcorehdrFile } from '../core/capture/elfcorehdr-file.ts'
import { elfcorehdrReport, renderElfcorehdr, renderExplained } from '../core/capture/report.ts'
import type { Ui } from '../ui/output.ts'
import { openMachine } from './machine.ts'
import { forceOption } from './options.ts'

interface Options {
  readonly output?: string
  readonly explain?: boolean
  readonly force?: boolean
}

export function genElfcorehdrCommand(ui: Ui): Command {
  return new Command('gen-elfcorehdr')
    .description(
      'Shows or writes the ELF core header of a crashed machine, as its capture kernel builds it: offsets ' +
        'are physical addresses, boot memory is read from its copy. The machine is not changed.',
    )
    .argument('<machine>', 'machine image, crashed or running its capture kernel')
    .option('-o, --output <file>', 'write the header to a file')
    .option('--explain', 'say of every program header why it is there')
    .addOption(forceOption())
    .action((path: string, options: Options) => {
      using image = openMachine(ui, path)
      const dump = readElfcorehdr(image)
      if (options.output !== undefined) writeElfcorehdrFile(options.output, dump, options)
      const render = options.explain === true ? renderExplained : renderElfcorehdr
      ui.result(elfcorehdrReport(path, dump), render)
    })
}
