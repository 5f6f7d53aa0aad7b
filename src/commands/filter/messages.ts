// What filter tells, and where: a result goes to standard output, unless a dump does, or a script says
// by --message-level what it wants to hear. Then all goes to standard error: a collector of kdump is silent.

import type { Warning } from '../../core/errors.ts'
import type { FilterResult } from '../../core/filter/index.ts'
import { renderReport } from '../../core/filter/report.ts'
import type { Ui } from '../../ui/output.ts'
import type { Progress } from '../../ui/progress.ts'
import type { Options } from './options.ts'

/** makedumpfile's; 4, errors, are told in any case. */
const messageBits = { progress: 1, summary: 2, causes: 8, report: 16 } as const
const usual = messageBits.progress | messageBits.summary

const wants = ({ messageLevel = usual }: Options, bit: number): boolean => (messageLevel & bit) !== 0

export const startProgress = (ui: Ui, options: Options, title: string): Progress =>
  ui.progress(title, wants(options, messageBits.progress))

export function tellWarnings(
  ui: Ui,
  { incomplete, warnings }: { readonly incomplete: boolean; readonly warnings: readonly Warning[] },
): void {
  for (const warning of warnings) {
    if (incomplete) ui.incomplete(warning)
    else ui.warn(warning)
  }
}

/** A mode's result, which is not a dump on standard output. */
export function tellResult<T>(ui: Ui, options: Options, result: T, render: (result: T) => string): void {
  if (ui.isJson || options.messageLevel === undefined) ui.result(result, render)
  else if (wants(options, messageBits.summary)) ui.note(render(result))
}

/** What a filter did or would do; `carriesDump` when standard output is its output. */
export function tellFiltered<T extends FilterResult>(
  ui: Ui,
  options: Options,
  result: T,
  renderSummary: (result: T) => string,
  carriesDump = false,
): void {
  tellWarnings(ui, result)
  const isReport = options.showStats === true || wants(options, messageBits.report)
  const render = isReport ? renderReport : renderSummary
  if (carriesDump) ui.note(render(result))
  else if (isReport) ui.result(result, render)
  else tellResult(ui, options, result, render)
}
