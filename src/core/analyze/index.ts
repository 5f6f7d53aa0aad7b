// Makes the report: asks every section its question. A section without an answer costs that section
// only, and the reason is in the report.

import { type Dump, isLoss } from '../../formats/dump.ts'
import { DumpError } from '../errors.ts'
import { type Diagnostic, type Report, reportVersion } from './report.ts'
import { type SectionName, sectionList } from './sections/index.ts'
import { makeSubject } from './subject.ts'

export interface AnalyzeOptions {
  /** Default: all. */
  readonly sections?: readonly SectionName[]
}

/** Never throws for what a dump lacks. */
export function analyzeDump(dump: Dump, options: AnalyzeOptions = {}): Report {
  const subject = makeSubject(dump, options.sections !== undefined)
  const answers: Partial<Record<SectionName, unknown>> = {}
  const diagnostics: Diagnostic[] = dump.warnings.map((warning) => ({
    section: undefined,
    kind: isLoss(warning) ? 'missing' : 'note',
    ...warning,
    hint: undefined,
  }))
  for (const section of sectionList) {
    const { name } = section
    if (options.sections !== undefined && !options.sections.includes(name)) continue
    try {
      answers[name] = section.read(subject, (remark) => {
        diagnostics.push({ section: name, code: undefined, hint: undefined, ...remark })
      })
    } catch (error) {
      if (!(error instanceof DumpError)) throw error
      answers[name] = null
      const { code, message, hint } = error
      diagnostics.push({ section: name, kind: 'missing', code, message, hint })
    }
  }
  return { version: reportVersion, ...answers, diagnostics } as Report
}
