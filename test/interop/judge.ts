// Tests that ask another program. Where it is missing they are skipped with the reason in their name;
// in CI a missing judge is a failure.

import { spawnSync } from 'node:child_process'
import { describe } from 'vitest'

export function describeWithJudge(tool: string, name: string, tests: () => void): void {
  describeWhen(spawnSync('which', [tool]).status === 0, tool, name, tests)
}

/** Debian's own: another Python in the path does not see Debian's modules. */
const python = '/usr/bin/python3'

/** As describeWithJudge, for a module of Python 3. */
export function describeWithPython(module: string, name: string, tests: () => void): void {
  describeWhen(spawnSync(python, ['-c', `import ${module}`]).status === 0, `Python's ${module}`, name, tests)
}

/** As describeWithJudge, for a C library: gcc has to find its header. */
export function describeWithLibrary(header: string, name: string, tests: () => void): void {
  const { status } = spawnSync('gcc', ['-E', '-include', header, '-x', 'c', '/dev/null'])
  describeWhen(status === 0, `gcc with ${header}`, name, tests)
}

/** Standard output of a Python script. @throws {Error} with all it printed when it fails. */
export const runPython = (script: string, args: readonly string[], input?: Uint8Array): Buffer =>
  runJudge(python, ['-c', script, ...args], input)

function describeWhen(isThere: boolean, tool: string, name: string, tests: () => void): void {
  if (isThere || process.env.CI !== undefined) describe(name, tests)
  else describe.skip(`${name} (skipped: no ${tool} here)`, tests)
}

/** Standard output of the judge. @throws {Error} with all it printed when it fails. */
export function runJudge(tool: string, args: readonly string[], input?: Uint8Array): Buffer {
  const { error, status, stdout, stderr } = spawnSync(tool, args, { input, maxBuffer: 256 * 2 ** 20 })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: exit ${status}\n${stdout}${stderr}`)
  return stdout
}
