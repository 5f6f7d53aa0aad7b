import { describe, expect, it } from 'vitest'
import { FormatError, InterruptedError } from '../../src/core/errors.ts'
import { runInOrder, Threads, type Work, type WorkOptions } from '../../src/core/worker-pool.ts'

/** Speaks the pool's protocol by hand; `run` is the body of what a task does. */
const program = (run: string): string => `
  const { parentPort } = require('node:worker_threads')
  let setup
  const answer = (task, bytes) => { ${run} }
  parentPort.on('message', (request) => {
    if ('setup' in request) {
      setup = request.setup
      return
    }
    const { task, buffer } = request
    const result = answer(task, new Uint8Array(buffer))
    parentPort.postMessage({ result, buffer }, [buffer])
  })`

const double = (): Work<number, number> => ({
  run(task, buffer) {
    buffer[0] = task
    return 2 * task
  },
  [Symbol.dispose]() {},
})

interface Options extends WorkOptions<undefined, number, number> {
  readonly workers: number
  readonly program: string
}

const options = (workers: number, more: Partial<Options> = {}): Options => ({
  setup: undefined,
  start: double,
  workers,
  bufferBytes: 16,
  program: program('bytes[0] = task; return 2 * task'),
  ...more,
})

async function* run({ workers, program, ...share }: Options, tasks: Iterable<number>) {
  await using threads = new Threads(workers, program)
  yield* runInOrder(threads, share, tasks)
}

const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

async function collect(options: Options, tasks: Iterable<number>): Promise<number[][]> {
  const all: number[][] = []
  for await (const { result, buffer } of run(options, tasks)) all.push([result, buffer[0] as number])
  return all
}

describe('runInOrder', () => {
  it.each([0, 1, 2, 3])(
    'gives results and buffers in the order of the tasks, %i workers',
    async (workers) => {
      expect(await collect(options(workers), upTo(50))).toEqual(upTo(50).map((n) => [2 * n, n]))
    },
  )

  it('keeps the order when early tasks take longest', async () => {
    const slowFirst = program(`
      bytes[0] = task
      if (task < 3) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 30)
      return 2 * task`)
    expect(await collect(options(3, { program: slowFirst }), upTo(12))).toEqual(
      upTo(12).map((n) => [2 * n, n]),
    )
  })

  it('does nothing for no tasks', async () => {
    expect(await collect(options(2), [])).toEqual([])
  })

  it.each([0, 2])('never runs further ahead than its buffers, %i workers', async (workers) => {
    let taken = 0
    function* tasks() {
      for (; taken < 100; taken++) yield taken
    }
    let given = 0
    for await (const _ of run(options(workers), tasks())) {
      expect(taken - given).toBeLessThanOrEqual(3 * workers + 5)
      given++
    }
    expect(given).toBe(100)
  })

  it('fails with the error of a worker, its fields kept', async () => {
    const failing = program(`
      if (task > 5) parentPort.postMessage({ error: {
        name: 'FormatError', message: 'vmcore: cut', code: 'FORMAT', exitCode: 3, hint: 'copy it again',
        details: [['expected', 'more']] } })
      return task`)
    await expect(collect(options(2, { program: failing }), upTo(500))).rejects.toMatchObject({
      message: 'vmcore: cut',
      code: 'FORMAT',
      exitCode: 3,
      hint: 'copy it again',
    })
  })

  it('fails with the error itself when it works without threads', async () => {
    const error = new FormatError({ file: 'vmcore', field: 'cut' })
    const start = (): Work<number, number> => ({
      run() {
        throw error
      },
      [Symbol.dispose]() {},
    })
    await expect(collect(options(0, { start }), [1])).rejects.toBe(error)
  })

  it.each([
    ['ends', 'if (task > 4) process.exit(9); return task', /ended early, code 9/],
    ['throws outside a task', 'setImmediate(() => { throw new Error("lost") }); return task', /lost/],
    ['cannot start', '}; throw new Error("no start"); {', /no start/],
  ])('fails when a worker %s', async (_, run, message) => {
    await expect(collect(options(2, { program: program(run) }), upTo(500))).rejects.toThrow(message)
  })

  it.each([0, 2])('stops at an abort, %i workers', async (workers) => {
    const abort = new AbortController()
    const endless = function* (): Generator<number> {
      for (let n = 0; ; n++) yield n
    }
    const stopped = async (): Promise<void> => {
      for await (const { result } of run(options(workers, { signal: abort.signal }), endless())) {
        if (result === 20) abort.abort()
      }
    }
    await expect(stopped()).rejects.toThrow(InterruptedError)
  })

  it('stops at an abort while a worker never answers', async () => {
    const abort = new AbortController()
    const silent = options(1, { program: program('for (;;) {}'), signal: abort.signal })
    setImmediate(() => abort.abort())
    await expect(collect(silent, upTo(3))).rejects.toThrow(InterruptedError)
  })

  it('disposes of the work when its consumer leaves', async () => {
    let disposed = 0
    const start = (): Work<number, number> => ({ ...double(), [Symbol.dispose]: () => void disposed++ })
    for await (const { result } of run(options(0, { start }), upTo(9))) if (result === 4) break
    expect(disposed).toBe(1)
  })

  it('does one work after the other on the same threads', async () => {
    await using threads = new Threads(2, program('return setup * task'))
    for (const setup of [3, 5]) {
      const results: number[] = []
      const start = (factor: number): Work<number, number> => ({ ...double(), run: (task) => factor * task })
      const share = { setup, start, bufferBytes: 16 }
      for await (const { result } of runInOrder(threads, share, upTo(9))) results.push(result)
      expect(results).toEqual(upTo(9).map((n) => setup * n))
    }
  })

  it('ends its threads when its consumer leaves', async () => {
    await using threads = new Threads(2, program('return task'))
    const share = { setup: 0, start: double, bufferBytes: 16 }
    for await (const { result } of runInOrder(threads, share, upTo(9))) if (result === 0) break
    await expect(threads.run(1, new ArrayBuffer(16))).rejects.toThrow(/ended early/)
  })
})
