// The two streams. Results go to standard output, everything for people on the side to standard error;
// colour and spinners only on a terminal, and not with NO_COLOR, --no-color or --quiet.

import { Writable } from 'node:stream'
import { Chalk, type ChalkInstance } from 'chalk'
import { UsageError, type Warning } from '../core/errors.ts'
import { printable, printableJson } from '../core/printable.ts'
import { Progress } from './progress.ts'

export interface GlobalOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color?: boolean
}

export interface Streams {
  readonly out: NodeJS.WriteStream | NodeJS.WritableStream
  readonly err: NodeJS.WriteStream | NodeJS.WritableStream
  readonly env: Readonly<Record<string, string | undefined>>
}

export class Ui {
  readonly #streams: Streams
  #options: GlobalOptions = {}
  #incomplete = false
  #onIncomplete = (): void => {}
  #carriesDump = false
  readonly #abort = new AbortController()

  constructor(streams: Streams) {
    this.#streams = streams
  }

  /** Options not given stay as they are. */
  configure(options: GlobalOptions): void {
    this.#options = { ...this.#options, ...options }
  }

  /** True when a command reported that its work is done but something is missing (exit 6). */
  get isIncomplete(): boolean {
    return this.#incomplete
  }

  /** Aborted by SIGINT and SIGTERM. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  interrupt(): void {
    this.#abort.abort()
  }

  get isJson(): boolean {
    return this.#options.json === true
  }

  get isVerbose(): boolean {
    return this.#options.verbose === true
  }

  /** Columns of the terminal on standard output; 100 when it is none. */
  get columns(): number {
    return isTerminal(this.#streams.out) ? Math.max(40, this.#streams.out.columns) : 100
  }

  /** Colours for standard output; all plain when colour is off. */
  get style(): ChalkInstance {
    return new Chalk({ level: this.#hasColour(this.#streams.out) ? 1 : 0 })
  }

  /** A command's result: `--json` prints the value as it is, otherwise what `render` makes of it. */
  result<T>(value: T, render: (value: T) => string): void {
    this.print(this.isJson ? printableJson(value) : render(value))
  }

  /**
   * As this one with other options, except that what would go to standard output is kept: for a
   * command that runs another.
   */
  capture(options: GlobalOptions): { readonly ui: Ui; output(): string } {
    const { out } = this.#streams
    let text = ''
    const kept = new Writable({
      decodeStrings: false,
      write(chunk, _, done) {
        text += chunk
        done()
      },
    })
    const terminal = isTerminal(out) ? { isTTY: true, columns: out.columns } : {}
    const ui = new Ui({ ...this.#streams, out: Object.assign(kept, terminal) })
    ui.configure({ ...this.#options, ...options })
    ui.#onIncomplete = () => {
      this.#incomplete = true
    }
    this.signal.addEventListener('abort', () => ui.interrupt())
    return { ui, output: () => text }
  }

  /** Text to standard output, with a newline. */
  print(text: string): void {
    this.#streams.out.write(`${text}\n`)
  }

  /** A remark for people, standard error; not with --quiet. */
  note(text: string): void {
    if (this.#options.quiet !== true) this.#streams.err.write(`${text}\n`)
  }

  warn(warning: Warning): void {
    const yellow = new Chalk({ level: this.#hasColour(this.#streams.err) ? 1 : 0 }).yellow
    this.#streams.err.write(`${yellow('warning:')} ${printable(warning.message)}\n`)
  }

  /** The work is done but something is missing; the program will exit with 6. */
  incomplete(warning: Warning): void {
    this.#incomplete = true
    this.#onIncomplete()
    this.warn(warning)
  }

  error(text: string): void {
    this.#streams.err.write(`${text}\n`)
  }

  /** Standard output as a byte stream, for dumps written to `-`. @throws {UsageError} it is a terminal */
  get byteStream(): Writable {
    if (isTerminal(this.#streams.out)) {
      throw new UsageError('a dump is no text for a terminal', { hint: 'name a file, or a pipe behind it' })
    }
    this.#carriesDump = true
    return this.#streams.out as Writable
  }

  /** True when standard output carries a dump: a reader that goes away has lost it. */
  get carriesDump(): boolean {
    return this.#carriesDump
  }

  progress(title: string, isWanted = true): Progress {
    const isSilent = !isWanted || this.#options.quiet === true
    const mode = isSilent ? 'silent' : isTerminal(this.#streams.err) ? 'terminal' : 'lines'
    return new Progress(title, mode, (line) => this.note(line))
  }

  #hasColour(stream: Streams['out']): boolean {
    const { env } = this.#streams
    return (
      isTerminal(stream) && env.NO_COLOR === undefined && env.TERM !== 'dumb' && this.#options.color !== false
    )
  }
}

function isTerminal(stream: Streams['out']): stream is NodeJS.WriteStream {
  return 'isTTY' in stream && stream.isTTY === true
}
