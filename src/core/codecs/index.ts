// The page codecs, in the order in which crash and libkdumpfile test the flags. To add one: write the
// file, put it in the list, add pages made by somebody else's program to its test.

import type { Codec } from './codec.ts'
import { lzo } from './lzo.ts'
import { snappy } from './snappy.ts'
import { zlib } from './zlib.ts'
import { zstd } from './zstd.ts'

export const codecList: readonly Codec[] = [zlib, lzo, snappy, zstd]

/** The codec of a page descriptor's flags; undefined when no known bit is set. */
export const findCodec = (flags: number): Codec | undefined =>
  codecList.find((codec) => (flags & codec.flag) !== 0)
