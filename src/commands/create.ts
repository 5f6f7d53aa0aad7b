// fadump create: makes a machine image from a dump, from raw memory, or blank.

import { Command, InvalidArgumentError, Option } from 'commander'
import { createMachine } from '../core/machine/create.ts'
import type { MachineOptions } from '../core/machine/describe.ts'
import { openMemorySource, type SourceOptions } from '../core/machine/memory-source.ts'
import { renderCreation } from '../core/machine/render.ts'
import type { Ui } from '../ui/output.ts'
import { collectRange, forceOption, parseCount, parseSize } from './options.ts'

interface Options extends MachineOptions, SourceOptions {
  readonly cmdline?: string
  readonly hole?: SourceOptions['holes']
  readonly reservedRange?: MachineOptions['reservedRanges']
  readonly rma?: number
  readonly force?: boolean
}

export function createCommand(ui: Ui): Command {
  return new Command('create')
    .description(
      'Makes a machine image: the memory and CPUs of a dump, of a raw copy of memory, or of nothing. ' +
        'What the options leave out is taken from what the kernel left in that memory (its VMCOREINFO, ' +
        'the device tree it was booted with, its fadump header), else assumed; the output says which.',
    )
    .argument('<machine>', 'image to write')
    .option('--from <dump>', 'take memory, CPUs and registers from this dump')
    .option('--raw', '--from is no dump but memory itself: byte N of the file is physical address N')
    .option('--memory <size>', 'a blank machine with so much memory', parseSize)
    .option('--hole <start-end>', 'no memory there; may be repeated', collectRange)
    .addOption(new Option('--firmware <kind>', 'firmware to play').choices(['rtas', 'opal']).default('rtas'))
    .addOption(
      new Option('--page-size <bytes>', "the kernel's page size (default: the dump's, or 65536)").argParser(
        parsePageSize,
      ),
    )
    .addOption(new Option('--mmu <kind>', 'how the kernel maps memory').choices(['radix', 'hash']))
    .option('--cpus <count>', 'CPUs there can be, online or not', parseCount)
    .option('--nr-cpus <count>', "the kernel's CONFIG_NR_CPUS, which sizes its CPU masks", parseCount)
    .option('--cmdline <text>', "the kernel's command line")
    .option('--reserved-range <start-end>', "firmware's own memory; may be repeated", collectRange)
    .option('--rma <size>', 'real-mode area: what firmware can reach before the MMU is on', parseSize)
    .addOption(forceOption())
    .action(async (path: string, options: Options) => {
      using source = openMemorySource({ ...options, holes: options.hole })
      using progress = ui.progress(`Making ${path}`)
      const machine = {
        ...options,
        commandLine: options.cmdline,
        reservedRanges: options.reservedRange,
        rmaSize: options.rma,
      }
      const creation = await createMachine(path, source, machine, {
        force: options.force,
        signal: ui.signal,
        onProgress: progress.report,
      })
      for (const warning of creation.warnings) ui.warn(warning)
      ui.result(creation, renderCreation)
    })
}

function parsePageSize(text: string): number {
  const size = parseSize(text)
  if (size !== 4096 && size !== 65536) throw new InvalidArgumentError('Power kernels have 4096 or 65536')
  return size
}
