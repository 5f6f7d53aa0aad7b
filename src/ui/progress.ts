// Progress on standard error. On a terminal a spinner line with percentage, rate and time left (ora,
// loaded only then); elsewhere one line at the start and one at the end.

import type { Ora } from 'ora'
import { printableLine } from '../core/printable.ts'
import { renderDuration, renderSize } from '../core/units.ts'

export interface ProgressReport {
  readonly done: number
  readonly total: number
}

export class Progress implements Disposable {
  readonly #title: string
  readonly #write: (line: string) => void
  readonly #started = Date.now()
  #spinner: Ora | undefined
  #lastShown = 0
  #last: ProgressReport | undefined
  #closed = false

  constructor(title: string, mode: 'silent' | 'lines' | 'terminal', write: (line: string) => void) {
    this.#title = printableLine(title)
    this.#write = mode === 'silent' ? () => {} : write
    if (mode === 'lines') this.#write(`${this.#title} …`)
    if (mode === 'terminal') void this.#startSpinner()
  }

  /** Bytes (or pages) done so far; cheap, shown at most ten times a second. */
  readonly report = (progress: ProgressReport): void => {
    this.#last = progress
    const now = Date.now()
    if (this.#spinner === undefined || now - this.#lastShown < 100) return
    this.#lastShown = now
    this.#spinner.text = this.#line(progress, (now - this.#started) / 1000)
  };

  [Symbol.dispose](): void {
    if (this.#closed) return
    this.#closed = true
    const seconds = (Date.now() - this.#started) / 1000
    this.#spinner?.stop()
    const size = this.#last === undefined ? '' : `, ${renderSize(this.#last.done)}`
    this.#write(`${this.#title}: ${renderDuration(seconds)}${size}`)
  }

  async #startSpinner(): Promise<void> {
    const { default: ora } = await import('ora')
    if (!this.#closed) this.#spinner = ora({ text: this.#title, stream: process.stderr }).start()
  }

  #line({ done, total }: ProgressReport, seconds: number): string {
    const rate = seconds > 0 ? done / seconds : 0
    if (total === 0) return `${this.#title} ${renderSize(done)}, ${renderSize(rate)}/s`
    const share = done / total
    const left = rate > 0 ? (total - done) / rate : 0
    return `${this.#title} ${(share * 100).toFixed(0)} %, ${renderSize(rate)}/s, ${renderDuration(left)} left`
  }
}
