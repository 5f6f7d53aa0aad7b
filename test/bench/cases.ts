// What is measured: the same work as command lines of fadump and of makedumpfile.

import type { CodecName } from '../../src/core/codecs/codec.ts'
import { program } from '../cli/program.ts'

export interface BenchCase {
  readonly level: number
  readonly codec: CodecName | 'none'
  /** Worker threads of fadump; as many as there are cores when left out. */
  readonly threads?: number
  /** All programs on the first core only. */
  readonly oneCore?: boolean
}

export const benchCases: readonly BenchCase[] = [
  { level: 31, codec: 'zlib' },
  { level: 31, codec: 'lzo' },
  { level: 31, codec: 'snappy' },
  { level: 31, codec: 'zstd' },
  { level: 31, codec: 'none' },
  { level: 31, codec: 'zlib', threads: 2 },
  { level: 31, codec: 'lzo', threads: 2 },
  { level: 31, codec: 'zlib', oneCore: true },
  { level: 31, codec: 'lzo', oneCore: true },
  { level: 1, codec: 'lzo' },
  { level: 1, codec: 'zlib' },
]

const letters: Record<BenchCase['codec'], readonly string[]> = {
  zlib: ['-c'],
  lzo: ['-l'],
  snappy: ['-p'],
  zstd: ['-z'],
  none: [],
}

/** `-d 31 zlib, one core`: also what `--cases` chooses by. */
export const caseName = ({ level, codec, threads, oneCore }: BenchCase): string =>
  [
    `-d ${level} ${codec === 'none' ? 'raw' : codec}`,
    ...(threads === undefined ? [] : [`${threads} workers`]),
    ...(oneCore ? ['one core'] : []),
  ].join(', ')

/** A command line that writes `output`. */
export type CommandOf = (output: string) => readonly string[]

export interface Contestant {
  readonly name: string
  readonly command: CommandOf
}

/** In the order in which they run: ours, the other program when there is one. */
export function contestants(wanted: BenchCase, source: string, rival: string | undefined): Contestant[] {
  const { level, codec, threads, oneCore } = wanted
  const pin = oneCore ? ['taskset', '-c', '0'] : []
  const workers = threads === undefined ? [] : ['--num-threads', `${threads}`]
  const ours: CommandOf = (output) => [
    ...pin,
    ...[process.execPath, program, 'filter', '--quiet', '-d', `${level}`, '--compress', codec],
    ...workers,
    source,
    output,
  ]
  if (rival === undefined) return [{ name: 'fadump', command: ours }]
  const theirs: CommandOf = (output) => [
    ...pin,
    ...[rival, ...letters[codec], '-d', `${level}`, '--message-level', '4', source, output],
  ]
  return [
    { name: 'fadump', command: ours },
    { name: 'makedumpfile', command: theirs },
  ]
}
