import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { run } from '../src/cli.ts'
import { Ui } from '../src/ui/output.ts'

async function runCli(...args: string[]) {
  const out = new PassThrough()
  const err = new PassThrough()
  const ui = new Ui({ out, err, env: {} })
  const exitCode = await run(args, ui)
  return { exitCode, out: String(out.read() ?? ''), err: String(err.read() ?? '') }
}

describe('command line', () => {
  it.each([[], ['--help'], ['help']])('shows help for %j', async (...args) => {
    const result = await runCli(...args)
    expect(result).toMatchObject({ exitCode: 0, err: '' })
    expect(result.out).toContain('Usage: fadump COMMAND [options]')
  })

  it('refuses an unknown option, and says where the known ones are', async () => {
    const result = await runCli('--bogus')
    expect(result).toMatchObject({ exitCode: 2, out: '' })
    expect(result.err).toBe(
      "error: unknown option '--bogus'\n  hint      fadump --help shows what there is\n",
    )
  })

  it('refuses help for an unknown command', async () => {
    expect(await runCli('help', 'filtr')).toMatchObject({ exitCode: 2, out: '' })
  })

  it('reports errors as JSON when asked for JSON', async () => {
    const { err, exitCode } = await runCli('filtr', '--json')
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'USAGE', exitCode: 2 } })
    expect(exitCode).toBe(2)
  })
})
