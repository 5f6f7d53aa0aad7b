// The forms a report comes in. To add one: write the file, add a line here, add a test.

import type { Report } from '../report.ts'
import { renderJson } from './json.ts'
import type { Page } from './page.ts'
import { renderText } from './text/index.ts'

export interface Renderer {
  /** As `--format` has it. */
  readonly name: string
  /** A string for a file or a terminal, without a newline at its end. */
  render(report: Report, page: Page): string
}

export const rendererList: readonly Renderer[] = [
  { name: 'text', render: renderText },
  { name: 'json', render: renderJson },
]
