// One question about a crash and its answer as plain data: numbers, strings, lists; addresses as `0x…`.

import type { Subject } from './subject.ts'

/**
 * Something to say beside the answers. missing: a part of the answer could not be read, the report is
 * incomplete · note: what a reader should know
 */
export interface Remark {
  readonly kind: 'missing' | 'note'
  readonly message: string
}

/** See sections/index.ts to add one. */
export interface Section<Name extends string, Answer> {
  /** As `--section` and JSON have it. */
  readonly name: Name
  /** The question, over the answer in text. */
  readonly title: string
  /**
   * The answer. What it can do without and could not read, it says with `remark`.
   * @throws {DumpError} there is no answer; the report then has the reason.
   */
  read(subject: Subject, remark: (remark: Remark) => void): Answer
}
