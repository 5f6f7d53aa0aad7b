// Packs a batch of pages, one behind the other. To add an encoder: write its file, add it to both
// functions here. An encoder packs `size` bytes at `page` to `output` and returns how many it wrote; it
// may write up to size + size / 8 + 1024 bytes there, whatever the page. Nothing of a page shows in the
// next one.

import { packDeflate } from './deflate'
import { packLzo } from './lzo'
import { isZero } from './scan'
import { packSnappy } from './snappy'
import { packZstd } from './zstd'

/** Bits of page_desc.flags, which name the codecs (diskdump_mod.h); 0 stores pages as they are. */
namespace codec {
  export const none = 0
  export const zlib = 1
  export const lzo = 2
  export const snappy = 4
  export const zstd = 0x20
}

/** Whether there is an encoder for it. */
export function canPack(flag: i32): bool {
  return (
    flag == codec.none ||
    flag == codec.zlib ||
    flag == codec.lzo ||
    flag == codec.snappy ||
    flag == codec.zstd
  )
}

@inline function packPage(flag: i32, page: usize, size: i32, output: usize): i32 {
  if (flag == codec.zlib) return packDeflate(page, size, output)
  if (flag == codec.lzo) return packLzo(page, size, output)
  if (flag == codec.snappy) return packSnappy(page, size, output)
  if (flag == codec.zstd) return packZstd(page, size, output)
  return size
}

/**
 * Pack `count` pages of `pageSize` bytes from `pages` on to `output`. `sizes` has an i32 a page: in,
 * negative for a page to leave out; out, the bytes taken (`pageSize` when it is stored as it is, because
 * packing is no gain), or -1 for a zero page that takes none because `shareZeroPages`. Returns all bytes
 * taken. There is room for all pages and 10 KiB + pageSize / 8 more at `output`.
 */
export function packPages(
  flag: i32,
  pages: usize,
  pageSize: i32,
  count: i32,
  shareZeroPages: bool,
  output: usize,
  sizes: usize,
): i32 {
  let end = output
  // Most pages of a sparse machine are zero, and they all pack to the same bytes.
  let zeroAt: usize = 0
  let zeroSize = 0
  for (let i = 0; i < count; i++, pages += pageSize, sizes += 4) {
    if (load<i32>(sizes) < 0) continue
    const zero = isZero(pages, pageSize)
    if (zero && shareZeroPages) {
      store<i32>(sizes, -1)
      continue
    }
    let size = zeroSize
    if (zero && size > 0) {
      memory.copy(end, zeroAt, size)
    } else {
      size = flag == codec.none ? pageSize : packPage(flag, pages, pageSize, end)
      if (size >= pageSize) {
        memory.copy(end, pages, pageSize)
        size = pageSize
      }
      if (zero) {
        zeroAt = end
        zeroSize = size
      }
    }
    store<i32>(sizes, size)
    end += size
  }
  return i32(end - output)
}
