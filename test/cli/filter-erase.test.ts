import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDump } from '../../src/formats/index.ts'
import { fixture } from '../fixtures/index.ts'
import { makeFolder } from '../make/folder.ts'
import { fadump } from './program.ts'

const vmcore = fixture('x86_64-7.2-small/vmcore')

function filter(config: string, ...args: string[]) {
  const folder = makeFolder()
  writeFileSync(join(folder, 'my.conf'), config)
  const run = fadump(['filter', '-q', '-l', '-d', '31', '--config', 'my.conf', ...args, vmcore, 'out'], {
    cwd: folder,
  })
  return { ...run, folder }
}

describe('fadump filter --config', () => {
  it('erases what the file names and says so in the output', () => {
    const { exitCode, folder } = filter('erase init_task.comm # swapper\n')
    expect(exitCode).toBe(0)
    using dump = openDump(join(folder, 'out'))
    expect(dump.eraseInfo).toBe('erase init_task.comm size 16\n')
  })

  it('exits with 2 at a mistake, says where it is, and writes nothing', () => {
    const { exitCode, err, folder } = filter('erase init_task.comm\nerase init_task.nonsense\n')
    expect(exitCode).toBe(2)
    expect(err).toBe('error: my.conf, line 2: init_task.nonsense: task_struct has no member nonsense\n')
    expect(readdirSync(folder)).toEqual(['my.conf'])
  })

  it('exits with 2 when there is no such file', () => {
    const { exitCode, err } = fadump(['filter', '--config', 'none', vmcore, 'out'], { cwd: makeFolder() })
    expect(exitCode).toBe(2)
    expect(err).toContain('error: none: ENOENT')
  })

  // The time counter is no pointer, and so leads nowhere.
  const nowhere = 'declare void *jiffies\nerase jiffies size 10\nerase init_task.comm\n'

  it('exits with 6 when something could not be erased, and erases the rest', () => {
    const { exitCode, err, folder } = filter(nowhere)
    expect(exitCode).toBe(6)
    expect(err).toContain('warning: my.conf, line 2: not erased: 10 of 10 bytes of jiffies are not mapped')
    using dump = openDump(join(folder, 'out'))
    expect(dump.eraseInfo).toBe('erase init_task.comm size 16\n')
    expect(dump.kdump?.status).toBe(2)
  })

  it('refuses that with --strict', () => {
    const { exitCode, folder } = filter(nowhere, '--strict')
    expect(exitCode).toBe(3)
    expect(readdirSync(folder)).toEqual(['my.conf'])
  })
})
