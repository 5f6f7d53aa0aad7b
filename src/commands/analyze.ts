// `fadump analyze`: the crash report of a dump.

import { Command, InvalidArgumentError, Option } from 'commander'
import { analyzeDump } from '../core/analyze/index.ts'
import { rendererList } from '../core/analyze/render/index.ts'
import { isIncomplete } from '../core/analyze/report.ts'
import { type SectionName, sectionNames } from '../core/analyze/sections/index.ts'
import { UsageError } from '../core/errors.ts'
import { openDump } from '../formats/index.ts'
import type { Ui } from '../ui/output.ts'

interface AnalyzeCommandOptions {
  readonly section?: readonly SectionName[]
  readonly format: string
}

/** May be given more than once. */
const sectionOption = (): Option =>
  new Option('--section <name>', 'only this part of the report; may be repeated')
    .choices(sectionNames)
    .argParser((name: string, before: readonly SectionName[] = []) => {
      const known = sectionNames.find((candidate) => candidate === name)
      if (known === undefined)
        throw new InvalidArgumentError(`Allowed choices are ${sectionNames.join(', ')}.`)
      return [...before, known]
    })

export function analyzeCommand(ui: Ui): Command {
  return new Command('analyze')
    .description(
      'Tells what a kernel died of, from its memory alone: no debugging information, no host of the same kind.',
    )
    .argument('<source>', 'vmcore (ELF, kdump, flattened) or machine image in capture state')
    .addOption(sectionOption())
    .addOption(
      new Option('--format <name>', 'form of the report')
        .choices(rendererList.map((renderer) => renderer.name))
        .default('text'),
    )
    .action((source: string, options: AnalyzeCommandOptions) => {
      const name = ui.isJson ? 'json' : options.format
      const renderer = rendererList.find((candidate) => candidate.name === name)
      if (renderer === undefined) throw new UsageError(`no report format ${name}`)
      using dump = openDump(source)
      const report = analyzeDump(dump, options.section === undefined ? {} : { sections: options.section })
      ui.print(renderer.render(report, { columns: ui.columns, style: ui.style }))
      if (isIncomplete(report)) {
        ui.incomplete({
          code: 'PARTIAL',
          message: 'the report is incomplete; it says what could not be read',
        })
      }
    })
}
