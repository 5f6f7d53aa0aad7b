// The fadump crash info header in a vmcore: it lies before a segment that does not begin on a page, in
// the page that the kernel rounds down to in the file, outside every segment. It names the CPU that
// crashed. Source: Linux fs/proc/vmcore.c, arch/powerpc/kernel/fadump.c.

import type { Dump } from '../../formats/dump.ts'
import { type CrashInfo, crashInfoHeader, crashInfoMagic, parseCrashInfo } from '../../formats/fdh.ts'
import { readUpTo } from '../byte-source.ts'

/** Undefined when the dump is none of fadump's, or is a copy without the bytes between segments. */
export function findCrashInfo(dump: Dump, pageSize: number): CrashInfo | undefined {
  const headerSize = crashInfoHeader.layout(dump.abi).size
  for (const { offset, physical } of dump.segments) {
    const length = physical % pageSize
    if (length <= headerSize || length > offset) continue
    const bytes = readUpTo(dump.source, offset - length, length)
    if (bytes.length < length) continue
    const info = parseCrashInfo(bytes, dump.abi, dump.name)
    const { magicNumber, ptRegsSize, cpuMaskSize } = info.header
    if (magicNumber === crashInfoMagic && headerSize + ptRegsSize + cpuMaskSize <= length) return info
  }
  return undefined
}
