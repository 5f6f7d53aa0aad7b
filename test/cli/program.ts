// Runs the built program as a user does. `npm test` builds it first; with a stale build these tests
// would judge old code, so they refuse.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
export const program = join(root, 'bin/fadump.cjs')

const built = statSync(join(root, 'dist/fadump.cjs'), { throwIfNoEntry: false })?.mtimeMs ?? 0
const newest = Math.max(
  ...readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map(
    (name) => statSync(join(root, 'src', name)).mtimeMs,
  ),
)
if (built < newest) throw new Error('dist/ is older than src/; run: npm run build')

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly input?: Uint8Array
}

export interface Run {
  readonly exitCode: number | null
  readonly out: string
  readonly err: string
}

/** Runs `fadump ARGS`; standard input is empty unless given. */
export function fadump(args: readonly string[], options: RunOptions = {}): Run {
  const done: SpawnSyncReturns<string> = spawnSync(process.execPath, [program, ...args], {
    encoding: 'utf8',
    input: options.input ?? '',
    cwd: options.cwd,
    env: { PATH: process.env.PATH, ...options.env },
    maxBuffer: 256 * 2 ** 20,
  })
  if (done.error !== undefined) throw done.error
  return { exitCode: done.status, out: done.stdout, err: done.stderr }
}
