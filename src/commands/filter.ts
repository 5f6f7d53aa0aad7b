// fadump filter: copies a dump without the pages that are seldom needed.

import { Command, Option } from 'commander'
import { filterToFile, filterToStream } from '../core/filter/output.ts'
import { renderFilterResult } from '../core/filter/render.ts'
import { withVmcoreinfo } from '../core/kernel/search-vmcoreinfo.ts'
import { openDump } from '../formats/index.ts'
import type { Ui } from '../ui/output.ts'
import { dumpLevelOption, forceOption, threadsOption } from './options.ts'

interface Options {
  readonly dumpLevel: number
  readonly zlib?: boolean
  readonly elf?: boolean
  readonly flatten?: boolean
  readonly numThreads?: number
  readonly force?: boolean
  readonly strict?: boolean
}

export function filterCommand(ui: Ui): Command {
  return new Command('filter')
    .description('Copies a dump without the pages that are seldom needed, compressed page by page.')
    .argument('<source>', 'vmcore (ELF, kdump, flattened) or machine image in capture state')
    .argument('<output>', 'file to write, - for a flattened stream to standard output')
    .addOption(dumpLevelOption())
    .option('-c, --zlib', 'compress each page with zlib')
    .addOption(new Option('-E, --elf', 'write an ELF file instead of kdump').conflicts('zlib'))
    .option('-F, --flatten', 'write the flattened form, for pipes')
    .addOption(threadsOption())
    .addOption(forceOption())
    .option('--strict', 'refuse a dump that is incomplete or damaged')
    .action(async (source: string, output: string, options: Options) => {
      using dump = withVmcoreinfo(openDump(source))
      using progress = ui.progress(`Filtering ${source}`)
      const work = {
        level: options.dumpLevel,
        format: options.elf ? 'elf' : 'kdump',
        codec: options.zlib ? 'zlib' : undefined,
        flattened: options.flatten ?? false,
        threads: options.numThreads,
        force: options.force ?? false,
        strict: options.strict,
        signal: ui.signal,
        onProgress: progress.report,
      } as const
      const result =
        output === '-'
          ? await filterToStream(dump, ui.byteStream, work)
          : await filterToFile(dump, output, work)
      for (const warning of result.warnings) {
        if (result.incomplete) ui.incomplete(warning)
        else ui.warn(warning)
      }
      if (output === '-') ui.note(renderFilterResult(result))
      else ui.result(result, renderFilterResult)
    })
}
