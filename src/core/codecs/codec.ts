// What a page codec is. Pages come from a dump, so a decoder trusts nothing: it reads and writes only
// inside the two arrays it was given, and ends after work in proportion to their sizes.

export interface Codec {
  readonly name: CodecName
  /** Its bit in page_desc.flags and in disk_dump_header.status (diskdump_mod.h). */
  readonly flag: number
  /** Fill `output`, exactly. @throws {CodecError} when `input` does not give that many bytes. */
  decompress(input: Uint8Array, output: Uint8Array): void
  /** The levels there are, of a codec that has any; src/wasm packs at `usual`, which is makedumpfile's. */
  readonly levels?: { readonly least: number; readonly most: number; readonly usual: number }
  /** A packer of pages at the other levels. */
  makeCompressor?(level?: number): Compressor
}

export type CodecName = 'zlib' | 'lzo' | 'snappy' | 'zstd'

/**
 * Pack a page into `output`, which is as long. Returns the packed length, 0 when that is no gain. Keeps
 * its tables from page to page, but nothing of a page shows in the next.
 */
export type Compressor = (page: Uint8Array, output: Uint8Array) => number

/** Packed bytes that cannot be unpacked. The reader knows where they stand and says so. */
export class CodecError extends Error {}
