// fadump save: delivers a crash as kdump does, one directory with log, dump, report and checksums.

import { Command } from 'commander'
import { analyzeDump } from '../core/analyze/index.ts'
import { plain } from '../core/analyze/render/page.ts'
import { renderText } from '../core/analyze/render/text/index.ts'
import { isIncomplete } from '../core/analyze/report.ts'
import { filterDump } from '../core/filter/index.ts'
import { withVmcoreinfo } from '../core/kernel/search-vmcoreinfo.ts'
import { describeCrash } from '../core/save/crash.ts'
import { saveCrash } from '../core/save/index.ts'
import { renderSaved } from '../core/save/render.ts'
import { parseTarget } from '../core/save/target.ts'
import type { Dump } from '../formats/dump.ts'
import { openDump } from '../formats/index.ts'
import type { Ui } from '../ui/output.ts'
import { dumpLevelOption, threadsOption } from './options.ts'

interface Options {
  readonly dumpLevel: number
  readonly zlib: boolean
  readonly numThreads?: number
}

export function saveCommand(ui: Ui): Command {
  return new Command('save')
    .description(
      'Makes a directory for the crash, HOST-YYYY-MM-DD-HH:MM:SS in UTC, with vmcore-dmesg.txt, vmcore, ' +
        'analysis.txt and, when all are whole, SHA256SUMS.',
    )
    .argument('<source>', 'vmcore (ELF, kdump, flattened) or machine image in capture state')
    .argument('<directory>', 'where to make the directory')
    .addOption(dumpLevelOption().default(31))
    .option('-c, --zlib', 'compress each page with zlib, which is the default', true)
    .option('--no-zlib', 'store pages as they are')
    .addOption(threadsOption())
    .action(async (source: string, directory: string, options: Options) => {
      const target = parseTarget(directory)
      using dump = withVmcoreinfo(openDump(source))
      using progress = ui.progress(`Saving ${source}`)
      const result = await saveCrash(target, {
        ...describeCrash(dump, Math.floor(Date.now() / 1000)),
        writeDump: (sink) =>
          filterDump(dump, sink, {
            level: options.dumpLevel,
            format: 'kdump',
            codec: options.zlib ? 'zlib' : undefined,
            threads: options.numThreads,
            signal: ui.signal,
            onProgress: progress.report,
          }),
        readReport: () => readReport(dump),
      })
      for (const warning of result.warnings) ui.incomplete(warning)
      for (const warning of result.dump.warnings)
        result.dump.incomplete ? ui.incomplete(warning) : ui.warn(warning)
      ui.result(result, renderSaved)
    })
}

function readReport(dump: Dump) {
  const report = analyzeDump(dump)
  const text = `${renderText(report, { columns: 100, style: plain })}\n`
  return isIncomplete(report) ? { text, missing: 'it says what could not be read' } : { text }
}
