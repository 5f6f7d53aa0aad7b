// The RAM of the machine that crashed, as every format gives it.

import type { PhysAddr } from '../address.ts'
import type { Bitmap } from '../bitmap.ts'
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
   */
  storedPages(pageSize: number): Bitmap
}
