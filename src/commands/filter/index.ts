// fadump filter: makedumpfile's command lines. What is done besides copying a dump is a mode, asked for
// by one option, a file each.

import { Command } from 'commander'
import { UsageError } from '../../core/errors.ts'
import type { Ui } from '../../ui/output.ts'
import { copyDump } from './copy.ts'
import { writeDmesg } from './dmesg.ts'
import { estimateDump } from './dry-run.ts'
import { showMemoryUsage } from './mem-usage.ts'
import { addOptions, type Options } from './options.ts'
import { rearrangeStream } from './rearrange.ts'
import { reassembleParts } from './reassemble.ts'
import { splitDump } from './split.ts'
import { writeVmcoreinfo } from './vmcoreinfo.ts'
import { showTranslation } from './vtop.ts'

interface Mode {
  /** The option that asks for it; the one without is what is done when none does. */
  readonly option?: keyof Options
  /** What is named on the command line: least and most paths, and in words. */
  readonly paths: readonly [number, number, string]
  run(ui: Ui, paths: readonly string[], options: Options): Promise<void>
}

const modes: readonly Mode[] = [
  { option: 'dryRun', paths: [1, 256, 'SOURCE [OUTPUT]'], run: estimateDump },
  { option: 'split', paths: [3, 256, 'SOURCE OUTPUT OUTPUT...'], run: splitDump },
  { option: 'reassemble', paths: [2, 256, 'PART... OUTPUT'], run: reassembleParts },
  {
    option: 'generateVmcoreinfo',
    paths: [0, 0, '-g FILE -x VMLINUX and nothing else'],
    run: writeVmcoreinfo,
  },
  { option: 'dumpDmesg', paths: [2, 2, 'SOURCE OUTPUT'], run: writeDmesg },
  { option: 'vtop', paths: [1, 256, 'SOURCE [OUTPUT]'], run: showTranslation },
  { option: 'memUsage', paths: [1, 256, 'SOURCE'], run: showMemoryUsage },
  { option: 'rearrange', paths: [1, 2, '[STREAM] OUTPUT'], run: rearrangeStream },
  { paths: [2, 256, 'SOURCE OUTPUT'], run: copyDump },
]

export function filterCommand(ui: Ui): Command {
  const command = new Command('filter')
    .usage('[options] <source> <output>')
    .description(
      'Copies a dump without the pages that are seldom needed, compressed page by page. Takes the command lines of makedumpfile.',
    )
    .argument(
      '[source]',
      'vmcore (ELF, kdump, flattened; all parts of a split one) or machine image in capture state',
    )
    .argument('[output...]', 'file to write, - for a flattened stream to standard output')
  addOptions(command)
  return command.action(async (source: string | undefined, outputs: readonly string[], options: Options) => {
    const mode = findMode(options)
    const paths = source === undefined ? [] : [source, ...outputs]
    checkUse(mode, paths, options)
    if (options.checkParams) return
    if (options.debug) ui.configure({ verbose: true })
    await mode.run(ui, paths, options)
  })
}

/** @throws {UsageError} two options ask for different things */
function findMode(options: Options): Mode {
  const asked = modes.filter(({ option }) => option !== undefined && options[option] !== undefined)
  if (asked.length > 1) {
    const names = asked.map(({ option }) => optionName(option as string))
    throw new UsageError(`${names.join(' and ')} cannot be done at once`)
  }
  return asked[0] ?? (modes.at(-1) as Mode)
}

function checkUse({ paths: [least, most, words] }: Mode, paths: readonly string[], options: Options): void {
  if (options.partialDmesg && !options.dumpDmesg) throw new UsageError('--partial-dmesg is for --dump-dmesg')
  if (options.generateVmcoreinfo && !options.vmlinux) throw new UsageError('-g needs -x VMLINUX')
  // A flattened stream goes to standard output.
  const enough = options.flatten ? 1 : least
  if (paths.length >= enough && paths.length <= most) return
  throw new UsageError(`expected ${words}`, { hint: 'fadump filter --help shows what there is' })
}

const optionName = (key: string): string => `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`
