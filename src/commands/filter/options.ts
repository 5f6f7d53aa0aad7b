// The options of `fadump filter`: makedumpfile's letters and words, grouped by what a person wants.

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CodecName } from '../../core/codecs/codec.ts'
import { codecList } from '../../core/codecs/index.ts'
import { forceOption, levelHelp, parseCount, parseLevel, parseSize, threadsOption } from '../options.ts'

export interface Options {
  /** One after the other until the output fits; at least one. */
  readonly dumpLevel: readonly number[]
  readonly compress?: Compression
  readonly elf?: boolean
  readonly flatten?: boolean
  readonly force?: boolean
  readonly numThreads?: number
  readonly dryRun?: boolean
  readonly split?: boolean
  /** KiB. */
  readonly splitblockSize?: number
  readonly reassemble?: boolean
  readonly rearrange?: boolean
  readonly dumpDmesg?: boolean
  readonly partialDmesg?: boolean
  readonly vtop?: bigint
  readonly memUsage?: boolean
  /** Bytes. */
  readonly sizeLimit?: number
  readonly strict?: boolean
  readonly excludeUnusedVm?: boolean
  /** Pages. */
  readonly excludeThreshold?: number
  /** Path. */
  readonly vmcoreinfo?: string
  /** Path. */
  readonly vmlinux?: string
  /** Path. */
  readonly generateVmcoreinfo?: string
  /** Path. */
  readonly config?: string
  readonly messageLevel?: number
  readonly debug?: boolean
  readonly showStats?: boolean
  readonly checkParams?: boolean
}

export interface Compression {
  /** Pages are stored as they are without one. */
  readonly codec?: CodecName
  readonly compressionLevel?: number
}

/** What every filter takes of them. */
export const filterOptions = ({ dumpLevel, compress, ...options }: Options) => ({
  level: dumpLevel[0] as number,
  nextLevels: dumpLevel.slice(1),
  codec: compress?.codec,
  compressionLevel: compress?.compressionLevel,
  threads: options.numThreads,
  force: options.force ?? false,
  sizeLimit: options.sizeLimit,
  strict: options.strict,
  leaveOutUnusedStructPages: options.excludeUnusedVm,
})

/** What the output of one file is, beside its pages. */
export const formatOptions = ({ elf, flatten, excludeThreshold }: Options) => ({
  format: elf ? ('elf' as const) : ('kdump' as const),
  shortestHole: excludeThreshold,
  flattened: flatten ?? false,
})

/** Adds them to the command; a codec's letter and --compress set the same value, the last one given wins. */
export function addOptions(command: Command): void {
  for (const [heading, options] of groups()) {
    for (const option of options) command.addOption(option.helpGroup(`${heading}:`))
  }
  for (const { name } of codecList) {
    command.on(`option:${name}`, () => command.setOptionValue('compress', { codec: name }))
  }
}

/** Heading → options, in the order of the help. */
const groups = (): readonly (readonly [string, readonly Option[]])[] => [
  [
    'What most need',
    [
      new Option('-d, --dump-level <level>', `${levelHelp}; 11,31 tries 31 when 11 does not fit`)
        .argParser(parseLevels)
        .default([0], '0'),
      ...codecList.map(
        ({ name }) => new Option(`-${letters[name]}, --${name}`, `compress each page with ${name}`),
      ),
      new Option('-E, --elf', 'write an ELF file instead of kdump').conflicts([
        ...codecList.map(({ name }) => name),
        'compress',
      ]),
      new Option(
        '-F, --flatten',
        'write the flattened form, for pipes; to standard output unless a file is named',
      ).conflicts(['split', 'sizeLimit', 'reassemble', 'rearrange', 'dumpDmesg', 'memUsage']),
      forceOption(),
      new Option('--dry-run', 'write nothing; count the pages and estimate the size with every codec'),
      threadsOption(),
    ],
  ],
  [
    'Several files',
    [
      new Option('--split', 'write several files at once: SOURCE OUTPUT OUTPUT...').conflicts(['elf']),
      new Option('--splitblock-size <KiB>', 'parts end at multiples of this (default: 1 GiB)').argParser(
        parseCount,
      ),
      new Option('--reassemble', 'put the parts of a split dump together: PART... OUTPUT'),
      new Option('-R, --rearrange', 'write the file that a flattened stream describes: [STREAM] OUTPUT'),
    ],
  ],
  [
    'Instead of a dump',
    [
      new Option('--dump-dmesg', 'write the kernel log as text: SOURCE OUTPUT'),
      new Option('--partial-dmesg', 'of the log only what came after it was last cleared'),
      new Option(
        '-g, --generate-vmcoreinfo <file>',
        'write what -x VMLINUX tells of its kernel to a text file, for -i',
      ),
      new Option('--mem-usage', 'count the pages of each kind that could be left out: SOURCE'),
      new Option(
        '--vtop <address>',
        'translate a virtual address, and show the page table entries; then filter if there is an OUTPUT',
      ).argParser(parseAddress),
    ],
  ],
  [
    'More about the output',
    [
      new Option('--config <file>', 'erase what this makedumpfile.conf(5) names'),
      new Option(
        '-x, --vmlinux <file>',
        "the kernel's own file: for a dump that does not say enough of its kernel",
      ).conflicts(['vmcoreinfo']),
      new Option('-i, --vmcoreinfo <file>', 'as -x, a text file made by -g'),
      new Option(
        '--exclude-threshold <pages>',
        'with -E: left-out pages in a row that are worth a program header; fewer are stored (default: 256)',
      ).argParser(parsePages),
      new Option(
        '-e, --exclude-unused-vm',
        'leave out struct pages, too, where all pages they describe are left out',
      ),
      new Option('--strict', 'refuse a dump that is incomplete or damaged'),
      new Option('--compress <codec>', `compress each page, with ${levelsHelp()}; or none`).argParser(
        parseCompression,
      ),
      new Option(
        '-L, --size-limit <bytes>',
        'go on with the next dump level, or stop, when a file gets larger',
      ).argParser(parseSize),
    ],
  ],
  [
    'Messages',
    [
      new Option(
        '--message-level <level>',
        'what is told, on standard error, the sum of: 1 progress, 2 summary, 4 errors (always told), 8 what lay behind them, 16 --show-stats',
      ).argParser(parseMessageLevel),
      new Option('--show-stats', "print makedumpfile's report as the result"),
      new Option('-D, --debug', 'as 8 of --message-level'),
      new Option('--check-params', 'only say whether these options make sense, by the exit code'),
    ],
  ],
  [
    'Accepted from makedumpfile without effect',
    [
      new Option('-b, --block-order <order>', 'size of its write buffer'),
      new Option('--cyclic-buffer <KiB>', 'size of its bitmap buffer'),
      new Option('--non-mmap', 'how it reads'),
      new Option('--work-dir <directory>', 'where it keeps bitmaps'),
    ],
  ],
]

/** makedumpfile's. */
const letters: Readonly<Record<CodecName, string>> = { zlib: 'c', lzo: 'l', snappy: 'p', zstd: 'z' }

const levelsHelp = (): string =>
  codecList
    .map(({ name, levels }) =>
      levels === undefined ? name : `${name}:${levels.least} to ${name}:${levels.most}`,
    )
    .join(', ')

/** As many as makedumpfile takes. */
const mostLevels = 32

function parseLevels(text: string): readonly number[] {
  const levels = text.split(',').map(parseLevel)
  if (levels.length > mostLevels) throw new InvalidArgumentError(`expected at most ${mostLevels} levels`)
  return levels
}

function parseCompression(text: string): Compression {
  const [name, level, ...rest] = text.split(':')
  if (text === 'none') return {}
  const codec = codecList.find((one) => one.name === name)
  if (codec === undefined || rest.length > 0) {
    throw new InvalidArgumentError(`expected ${levelsHelp()} or none`)
  }
  if (level === undefined) return { codec: codec.name }
  const { least, most } = codec.levels ?? { least: 1, most: 0 }
  const compressionLevel = parseCount(level)
  if (most < least) throw new InvalidArgumentError(`${name} has no levels`)
  if (compressionLevel < least || compressionLevel > most) {
    throw new InvalidArgumentError(`levels of ${name} are ${least} to ${most}`)
  }
  return { codec: codec.name, compressionLevel }
}

function parsePages(text: string): number {
  const pages = parseCount(text)
  if (pages < 1) throw new InvalidArgumentError('expected at least 1')
  return pages
}

/** As strtoul reads it: 0x for hexadecimal, 0 for octal. */
function parseAddress(text: string): bigint {
  const octal = /^0[0-7]+$/.test(text)
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text))
    throw new InvalidArgumentError('expected an address, such as 0xffffffff81000000')
  const address = BigInt(octal ? `0o${text}` : text)
  if (address >= 1n << 64n) throw new InvalidArgumentError('expected an address of at most 64 bits')
  return address
}

const highestMessageLevel = 31

function parseMessageLevel(text: string): number {
  const level = parseCount(text)
  if (level > highestMessageLevel) throw new InvalidArgumentError(`expected 0 to ${highestMessageLevel}`)
  return level
}
