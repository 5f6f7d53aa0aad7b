// The memory that a kernel sets aside for a dump: what is in it, in which order. The kernel that registers
// computes it when it reserves, the capture kernel computes it anew from what firmware tells.
// Source: Linux arch/powerpc/kernel/fadump.c (get_fadump_area_size, fadump_setup_crash_mem_ranges).

import type { FadumpConfig } from '../../formats/machine-image/state.ts'
import { alignUp } from '../address.ts'
import type { Range } from '../ranges.ts'
import type { Platform } from './reservation.ts'

/** What firmware fills besides the copy of boot memory, bytes. */
export const receptacleSize = (platform: Platform, pageSize: number): number =>
  alignUp(platform.cpuStateSize + platform.hpteSize, pageSize)

/** Bytes of the whole area: receptacles, the copy of boot memory, the fadump header, the platform's own. */
export const dumpAreaSize = (
  platform: Platform,
  bootMemorySize: number,
  { headerSize, pageSize }: { readonly headerSize: number; readonly pageSize: number },
): number => receptacleSize(platform, pageSize) + bootMemorySize + headerSize + platform.metadataSize

/** The area, not rounded to pages. */
export const dumpArea = ({
  reserveStart,
  reserveSize,
}: Pick<FadumpConfig, 'reserveStart' | 'reserveSize'>): Range => ({
  start: reserveStart,
  end: reserveStart + reserveSize,
})

type CopiedRegions = FadumpConfig['bootMemoryRegions']
type Region = Omit<CopiedRegions[number], 'copy'>

/** Copies are packed back to back, holes squeezed out. */
export function placeCopies(regions: readonly Region[], firstCopy: number): CopiedRegions {
  let copy = firstCopy
  return regions.map(({ address, size }) => {
    const region = { address, size, copy }
    copy += size
    return region
  })
}
