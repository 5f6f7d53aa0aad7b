// A page as one Zstandard frame of one block, with its size and without checksum; see
// src/core/codecs/zstd.ts for how it is read. Source: RFC 8878.
//
// Worst case: literals take their own number of bytes and 5. A sequence takes 5 + 6 + 6 bits of states at
// most, with tables of the page's own 3 more, because those are used only where they are shorter by an
// estimate that is no more than a bit a state too low; 16 bits of offset, 13 when the match has 4 bytes; and
// 1 bit for every 16 bytes, at most, of lengths. That is 33 bits for 32, 36 for 40 of longer matches, and
// the tables are 3 times 70 bytes: less than size / 16 + 300 bytes more than the page.

import { putLiterals } from './zstd-literals'
import { findMatches, literals, literalsEnd, sequences, sequencesEnd } from './zstd-matches'
import { putSequences } from './zstd-sequences'

export function packZstd(page: usize, size: i32, output: usize): i32 {
  store<u32>(output, 0xfd2fb528)
  // One segment; content size in two bytes, from 256 on.
  store<u8>(output, 0x60, 4)
  store<u16>(output, u16(size - 256), 5)
  const block = output + 10
  findMatches(page, size)
  const end = putSequences(sequences, sequencesEnd, putLiterals(literals, literalsEnd, block))
  // The last block, of type 2 (packed), and its size.
  const header = 1 | (2 << 1) | (u32(end - block) << 3)
  store<u16>(output, u16(header), 7)
  store<u8>(output, u8(header >> 16), 9)
  return i32(end - output)
}
