// The RAM of the machine that crashed, as every format gives it.

import type { PhysAddr } from '../address.ts'
import { hex } from '../address.ts'
import { Bitmap } from '../bitmap.ts'
import { FormatError } from '../errors.ts'
import type { Ranges } from '../ranges.ts'

/** Implemented by every format; see formats/index.ts to add one. */
export interface PhysicalMemory extends Disposable {
  /** RAM that existed, bytes. Includes pages that were left out of the dump. */
  readonly ranges: Ranges
  /**
   * Fill `into` from `address`; may cross pages and ranges.
   * @throws {FaultError} at the first byte not to be had; `reason` is 'hole' | 'excluded' | 'truncated'.
   */
  read(address: PhysAddr, into: Uint8Array): void
  /**
   * Which page frames have their data in the dump: a new bitmap, one bit a page of `pageSize` bytes,
   * as long as the highest address of `ranges` needs. A page counts when its first byte is stored.
   * @throws {FormatError} when that would be more than `maxPages`.
   */
  storedPages(pageSize: number): Bitmap
}

/** 64 TiB of 4 KiB pages: a bitmap of 2 GiB. A higher address is a damaged file, or a job for a sparse bitmap. */
export const maxPages = 2 ** 34

/** The bitmap that storedPages fills. @throws {FormatError} it would be absurd, or more than there is memory for. */
export function pageBitmap(ranges: Ranges, pageSize: number, file: string): Bitmap {
  const end = ranges.at(-1)?.end ?? 0
  const pages = Math.ceil(end / pageSize)
  const bitmap = pages > maxPages ? undefined : tryBitmap(pages)
  if (bitmap !== undefined) return bitmap
  throw new FormatError({
    file,
    field: 'highest physical address',
    expected: `at most ${maxPages} pages of ${pageSize} bytes, and memory for one bit each`,
    found: hex(end),
  })
}

function tryBitmap(pages: number): Bitmap | undefined {
  try {
    return new Bitmap(pages)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
