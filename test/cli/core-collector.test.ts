// filter as kdump's core_collector: the command lines that kdump-utils runs, and what its scripts go by,
// the exit code, a silent standard output, and the file.
// Source: kdump-utils kdump.sh (dump_fs, dump_ssh, dump_raw), kdumpctl (verify_core_collector).

import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump, program } from './program.ts'

const vmcore = fixture('x86_64-7.2-small/vmcore')
const collector = `${process.execPath} ${program} filter -l --message-level 7 -d 31`

/** Runs a script of kdump in `cwd`, with CORE_COLLECTOR and VMCORE set. */
function run(script: string, cwd: string, core = vmcore, options = '') {
  const env = { PATH: process.env.PATH, CORE_COLLECTOR: `${collector} ${options}`, VMCORE: core }
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], {
    cwd,
    env,
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const toFile =
  '$CORE_COLLECTOR $VMCORE vmcore-incomplete && sync -f vmcore-incomplete && mv vmcore-incomplete vmcore'

describe('as core_collector', () => {
  it.each(['', '--num-threads=2'])('saves to a file system, with %j', (options) => {
    const folder = makeFolder()
    expect(run(toFile, folder, vmcore, options)).toMatchObject({ status: 0, stdout: '' })
    expect(readdirSync(folder)).toEqual(['vmcore'])
    fadump(['filter', '-l', '-d', '31', vmcore, 'direct'], { cwd: folder })
    expect(readFileSync(join(folder, 'vmcore')).equals(readFileSync(join(folder, 'direct')))).toBe(true)
  })

  it('saves through a pipe, and the stream becomes the same dump', () => {
    const folder = makeFolder()
    const pipe =
      'set -o pipefail; $CORE_COLLECTOR -F $VMCORE | dd bs=512 of=vmcore.flat 2>/dev/null && ' +
      '$CORE_COLLECTOR vmcore.flat from-file && $CORE_COLLECTOR - from-pipe < <(cat vmcore.flat)'
    expect(run(pipe, folder)).toMatchObject({ status: 0, stdout: '' })
    const direct = fadump(['filter', '-l', '-d', '31', vmcore, 'direct'], { cwd: folder })
    expect(direct.exitCode).toBe(0)
    expect(fadump(['filter', '-R', 'vmcore.flat', 'rearranged'], { cwd: folder }).exitCode).toBe(0)
    for (const name of ['from-file', 'from-pipe', 'rearranged']) {
      expect(readFileSync(join(folder, name)).equals(readFileSync(join(folder, 'direct'))), name).toBe(true)
    }
  })

  it('is recovered from a raw partition, whatever stands behind the dump', () => {
    const folder = makeFolder()
    const raw =
      'set -e; truncate -s 64M partition; $CORE_COLLECTOR -F $VMCORE | dd of=partition bs=1M conv=notrunc 2>/dev/null; ' +
      `${process.execPath} ${program} filter -q -R vmcore < partition > /dev/null`
    expect(run(raw, folder)).toMatchObject({ status: 0, stdout: '' })
    fadump(['filter', '-l', '-d', '31', vmcore, 'direct'], { cwd: folder })
    expect(readFileSync(join(folder, 'vmcore')).equals(readFileSync(join(folder, 'direct')))).toBe(true)
  })

  it('fails for kdump to see when anything is lost', () => {
    const folder = makeFolder()
    copyFileSync(vmcore, join(folder, 'short'))
    truncateSync(join(folder, 'short'), 2 ** 26)
    expect(run(toFile, folder, 'short', '-d 1')).toMatchObject({ status: 6, stdout: '' })
    expect(readdirSync(folder).sort()).toEqual(['short', 'vmcore-incomplete'])
    const full = makeFolder()
    expect(run(toFile, full, vmcore, '-L 3M')).toMatchObject({ status: 5, stdout: '' })
    expect(readdirSync(full)).toEqual(['vmcore-incomplete.incomplete'])
    expect(run(toFile, makeFolder(), 'no-such-file')).toMatchObject({ status: 3, stdout: '' })
  })

  it('passes the check of kdumpctl, and bad parameters do not', () => {
    const check = (params: string) => run(`$CORE_COLLECTOR --check-params ${params}`, makeFolder())
    expect(check('vmcore dumpfile')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(check('-F vmcore')).toEqual({ status: 0, stdout: '', stderr: '' })
    expect(check('-E vmcore dumpfile').status).toBe(2)
  })
})
