// The crash report: plain data, the same for every renderer. docs/schema/report.schema.json describes
// its JSON form, which is this value as it stands.

import type { Remark } from './section.ts'
import type { Answers, SectionName } from './sections/index.ts'

/** Counts changes that would break a reader; new fields do not. */
export const reportVersion = 1

export interface Diagnostic extends Remark {
  /** The section that could not be answered, or said so; undefined when it concerns the dump as a whole. */
  readonly section: SectionName | undefined
  /** Of the error behind it: FORMAT, FAULT, KERNEL, … */
  readonly code: string | undefined
  /** What to do about it. */
  readonly hint: string | undefined
}

export type Report = {
  readonly version: typeof reportVersion
  /** What could not be read and why, and what else should be known. */
  readonly diagnostics: readonly Diagnostic[]
} & {
  /** null: could not be answered, a diagnostic says why; missing: not asked for. */
  readonly [Name in SectionName]?: Answers[Name] | null
}

/** True when something that should be there could not be read. */
export const isIncomplete = (report: Report): boolean =>
  report.diagnostics.some((diagnostic) => diagnostic.kind === 'missing')
