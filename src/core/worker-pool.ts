// Runs tasks on worker threads and gives their results back in the order of the tasks. Each task is
// lent one of a fixed number of buffers to put bytes into; the buffer travels with the task and back
// with the result by transfer. So memory is bounded and nothing runs ahead of a slow consumer. This
// thread does tasks, too, and alone when there are no others: one core, small inputs.

import { parentPort, Worker } from 'node:worker_threads'
import { workerProgram } from './embedded.ts'
import { DumpError, type ExitCode, InterruptedError } from './errors.ts'

/** What one thread does; made once per thread. Disposed of at the end, except that a thread just ends. */
export interface Work<Task, Result> extends Disposable {
  /** Put bytes into `buffer` (its content is left over from earlier tasks) and say what they are. */
  run(task: Task, buffer: Uint8Array): Result
}

/** Tasks that a thread has, so that it need not wait while this one is busy. */
const tasksAhead = 3

/**
 * Threads that get ready while their work is still being planned; they can do one work after the other.
 * Without any, work is done on this thread.
 */
export class Threads implements AsyncDisposable {
  readonly #threads: readonly Thread[]

  /** @param program what they run, CommonJS text that calls serveWork; by default the worker in the bundle */
  constructor(count: number, program?: string) {
    this.#threads = Array.from({ length: count }, () => new Thread(program ?? workerProgram()))
  }

  get count(): number {
    return this.#threads.length
  }

  /** Hand everybody the work that the next tasks are about. */
  setUp(setup: unknown): void {
    for (const thread of this.#threads) thread.setUp(setup)
  }

  /** Give a task, and a buffer, to the thread with the fewest. */
  run(task: unknown, buffer: ArrayBuffer): Promise<Done<unknown>> {
    const least = this.#threads.reduce((least, thread) => (thread.load < least.load ? thread : least))
    return least.run(task, buffer)
  }

  /** Could one of them have to wait for its next task? */
  get wantsTask(): boolean {
    return this.#threads.some(({ load }) => load < tasksAhead)
  }

  /** Everything under way, and everything that would come, fails with this error. */
  fail(error: Error): void {
    for (const thread of this.#threads) thread.fail(error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()))
  }
}

export interface WorkOptions<Setup, Task, Result> {
  /** Copied to every thread; put large shared tables into a SharedArrayBuffer. */
  readonly setup: Setup
  /** The same function that the worker's program serves. */
  readonly start: (setup: Setup) => Work<Task, Result>
  readonly bufferBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface Done<Result> {
  readonly result: Result
  /** The task's buffer; good until the next result is asked for. */
  readonly buffer: Uint8Array
}

/**
 * Results of all `tasks`, in order. This thread does tasks, too, when it has nothing else to do. When it
 * fails or is left before the end, the threads end, too.
 * @throws what the work threw · {InterruptedError} on abort · {Error} when a thread died
 */
export async function* runInOrder<Setup, Task, Result>(
  threads: Threads,
  { setup, start, bufferBytes, signal }: WorkOptions<Setup, Task, Result>,
  tasks: Iterable<Task>,
): AsyncGenerator<Done<Result>, void, void> {
  const interrupt = (): void => threads.fail(new InterruptedError())
  signal?.addEventListener('abort', interrupt)
  threads.setUp(setup)
  using own = start(setup)
  // A thread's own, one that this thread works on, and results that wait for their turn.
  const buffers = threads.count === 0 ? 1 : tasksAhead * threads.count + 4
  const free = Array.from({ length: buffers }, () => new ArrayBuffer(bufferBytes))
  const underWay: UnderWay<Result>[] = []
  const source = tasks[Symbol.iterator]()
  let next = source.next()
  let isWhole = false
  try {
    while (!next.done || underWay.length > 0) {
      if (signal?.aborted) throw new InterruptedError()
      const buffer = next.done || underWay[0]?.isDone ? undefined : free.pop()
      if (next.done || buffer === undefined) {
        const done = await (underWay.shift() as UnderWay<Result>).result
        yield done
        free.push(done.buffer.buffer as ArrayBuffer)
        continue
      }
      if (threads.wantsTask) {
        underWay.push(watch(threads.run(next.value, buffer) as Promise<Done<Result>>))
      } else {
        const bytes = new Uint8Array(buffer)
        const result = Promise.resolve({ result: own.run(next.value, bytes), buffer: bytes })
        underWay.push({ result, isDone: true })
        // Lets messages, signals and timers in.
        await new Promise(setImmediate)
      }
      next = source.next()
    }
    isWhole = true
  } finally {
    signal?.removeEventListener('abort', interrupt)
    if (!isWhole) await threads[Symbol.asyncDispose]()
  }
}

interface UnderWay<Result> {
  readonly result: Promise<Done<Result>>
  isDone: boolean
}

function watch<Result>(result: Promise<Done<Result>>): UnderWay<Result> {
  const watched = { result, isDone: false }
  const settle = (): void => {
    watched.isDone = true
  }
  result.then(settle, settle)
  return watched
}

/** What goes to a thread and what comes back. */
type Request<Setup, Task> = { readonly setup: Setup } | { readonly task: Task; readonly buffer: ArrayBuffer }
type Reply<Result> =
  | { readonly result: Result; readonly buffer: ArrayBuffer }
  | { readonly error: PackedError | Error }

interface Waiting {
  readonly resolve: (done: Done<unknown>) => void
  readonly reject: (error: Error) => void
}

/** A worker thread with the tasks it was given and has not answered; it answers in order. */
class Thread {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #failure: Error | undefined

  constructor(program: string) {
    this.#worker = new Worker(program, { eval: true })
    this.#worker.on('message', (reply: Reply<unknown>) => {
      const waiting = this.#waiting.shift()
      if ('error' in reply) waiting?.reject(unpackError(reply.error))
      else waiting?.resolve({ result: reply.result, buffer: new Uint8Array(reply.buffer) })
    })
    this.#worker.on('error', (error: Error) => this.fail(error))
    this.#worker.on('exit', (code) => this.fail(new Error(`a worker thread ended early, code ${code}`)))
  }

  /** Tasks under way. */
  get load(): number {
    return this.#waiting.length
  }

  setUp(setup: unknown): void {
    this.#post({ setup })
  }

  run(task: unknown, buffer: ArrayBuffer): Promise<Done<unknown>> {
    const answer = new Promise<Done<unknown>>((resolve, reject) => {
      if (this.#failure !== undefined) reject(this.#failure)
      else this.#waiting.push({ resolve, reject })
    })
    // Nobody may be left to wait for it when an earlier task has failed.
    answer.catch(() => {})
    this.#post({ task, buffer }, [buffer])
    return answer
  }

  /** Everything under way, and everything that would come, fails with this error. */
  fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }

  async end(): Promise<void> {
    await this.#worker.terminate()
  }

  #post(request: Request<unknown, unknown>, transfer: ArrayBuffer[] = []): void {
    if (this.#failure === undefined) this.#worker.postMessage(request, transfer)
  }
}

/** The other end: what a worker's program calls, once. */
export function serveWork<Setup, Task, Result>(start: (setup: Setup) => Work<Task, Result>): void {
  const port = parentPort
  if (port === null) throw new Error('not a worker thread')
  let setup: Setup
  let work: Work<Task, Result> | undefined
  port.on('message', (request: Request<Setup, Task>) => {
    if ('setup' in request) {
      work?.[Symbol.dispose]()
      work = undefined
      setup = request.setup
      return
    }
    const { task, buffer } = request
    try {
      work ??= start(setup)
      const result = work.run(task, new Uint8Array(buffer))
      port.postMessage({ result, buffer } satisfies Reply<Result>, [buffer])
    } catch (error) {
      port.postMessage({ error: packError(error) } satisfies Reply<Result>)
    }
  })
}

/** An error's class does not survive the way between threads, its fields do. */
interface PackedError {
  readonly name: string
  readonly message: string
  readonly code: string
  readonly exitCode: ExitCode
  readonly hint: string | undefined
  readonly details: readonly (readonly [string, string])[]
}

function packError(error: unknown): PackedError | Error {
  if (!(error instanceof DumpError)) return error instanceof Error ? error : new Error(String(error))
  const { name, message, code, exitCode, hint } = error
  return { name, message, code, exitCode, hint, details: error.details() }
}

const unpackError = (packed: PackedError | Error): Error =>
  packed instanceof Error ? packed : new ThreadError(packed)

/** A DumpError of a thread: says and means what the original did. */
class ThreadError extends DumpError {
  readonly code: string
  readonly exitCode: ExitCode
  readonly #details: PackedError['details']

  constructor(packed: PackedError) {
    super(packed.message, packed.hint === undefined ? {} : { hint: packed.hint })
    this.name = packed.name
    this.code = packed.code
    this.exitCode = packed.exitCode
    this.#details = packed.details
  }

  override details(): PackedError['details'] {
    return this.#details
  }
}
