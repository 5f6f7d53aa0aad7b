// Tests that ask another program. Where it is missing they are skipped with the reason in their name;
// in CI a missing judge is a failure.

import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'

export function describeWithJudge(tool: string, name: string, tests: () => void): void {
  const missing = spawnSync('which', [tool]).status !== 0
  if (missing && process.env.CI === undefined) describe.skip(`${name} (skipped: no ${tool} here)`, tests)
  else describe(name, tests)
}

/** Standard output of the judge. @throws when it fails. */
export function runJudge(tool: string, args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync(tool, args, { input, maxBuffer: 64 * 1024 * 1024 })
  if (result.error !== undefined) throw result.error
  if (result.status !== 0) throw new Error(`${tool} exits with ${result.status}: ${result.stderr}`)
  return result.stdout
}
