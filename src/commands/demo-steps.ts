// The main job as a list of command lines: what `fadump demo` types. All files go to one directory.

import { join } from 'node:path'

export interface DemoStep {
  /** What happens, and who does it in real life. */
  readonly title: string
  /** A command line without `fadump`. */
  readonly args: readonly string[]
}

/** The bundled machine, in demo/. Its README says what it is. */
export const demoMachine = 'ppc64le-7.2.kdump'

export interface DemoOptions {
  /** Replace what an earlier demo left; the crashes it saved stay. */
  readonly force?: boolean
}

/** What the real machine was booted with, and what its capture kernel got besides, as its console shows. */
const commandLine =
  'console=hvc0 fadump=on crashkernel=320M panic=5 files=0 append=nr_cpus=1,fixtureparam=yes'
const appended = 'nr_cpus=1 fixtureparam=yes'

/** @param source path of the bundled machine */
export function demoSteps(directory: string, source: string, options: DemoOptions = {}): readonly DemoStep[] {
  const machine = join(directory, 'machine.img')
  const header = join(directory, 'elfcorehdr')
  const filtered = join(directory, 'vmcore.kdump')
  const crashes = join(directory, 'crash')
  const force = options.force === true ? ['-f'] : []
  return [
    {
      title: 'A machine image: memory, CPUs and registers of a real machine',
      args: ['create', machine, '--from', source, '--cmdline', commandLine, ...force],
    },
    {
      title: 'Its kernel reserves memory and registers with firmware',
      args: ['register', machine, '--bootargs-append', appended],
    },
    {
      title: 'It panics; firmware saves registers and boot memory, and resets',
      args: ['trigger', machine, '--cpu', '1', '--reason', 'sysrq triggered crash'],
    },
    {
      title: 'The same kernel boots again, finds the dump, checks it and exports /proc/vmcore',
      args: ['boot-capture', machine],
    },
    {
      title: 'The ELF core header of that /proc/vmcore, entry by entry',
      args: ['gen-elfcorehdr', machine, '-o', header, '--explain', ...force],
    },
    {
      title: 'The dump without the pages nobody needs',
      args: ['filter', machine, filtered, '-d', '31', '-c', ...force],
    },
    {
      title: 'The crash delivered as kdump does',
      args: ['save', machine, crashes],
    },
    { title: 'What happened?', args: ['analyze', machine] },
  ]
}

/** The line a user would type. */
export const renderCommandLine = ({ args }: DemoStep): string =>
  ['$ fadump', ...args.map((arg) => (/^[\w./:=,-]+$/.test(arg) ? arg : `'${arg}'`))].join(' ')

/** A report with the last `count` lines of its log. */
export function shortenLog(report: string, count: number): string {
  const lines = report.split('\n')
  const start = lines.findIndex((line) => line.endsWith('Kernel log')) + 1
  const left = lines.length - start - count
  if (start === 0 || left <= 1) return report
  return [...lines.slice(0, start), `… ${left} lines more in analysis.txt …`, ...lines.slice(-count)].join(
    '\n',
  )
}
