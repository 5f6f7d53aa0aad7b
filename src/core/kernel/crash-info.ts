// The fadump crash info header in a vmcore: it lies before a segment that does not begin on a page, in
// the page that the kernel rounds down to in the file, outside every segment. It names the CPU that
// crashed. Source: Linux fs/proc/vmcore.c, arch/powerpc/kernel/fadump.c.

import type { Dump } from '../../formats/dump.ts'
import { type CrashInfo, crashInfoHeader, crashInfoMagic, parseCrashInfo } from '../../formats/fdh.ts'
import { readUpTo } from '../byte-source.ts'
import { Cursor } from '../cursor.ts'
import { FormatError } from '../errors.ts'

/** Undefined when the dump is none of fadump's, or is a copy without the bytes between segments. */
export function findCrashInfo(dump: Dump, pageSize: number): CrashInfo | undefined {
  for (const { offset, physical } of dump.segments) {
    const length = physical % pageSize
    if (length === 0 || length > offset) continue
    const info = readCrashInfo(dump, readUpTo(dump.source, offset - length, length))
    if (info !== undefined) return info
  }
  return undefined
}

/** What stands there may be anything: it counts when its magic number is right and all of it is there. */
function readCrashInfo({ abi, name }: Dump, bytes: Uint8Array): CrashInfo | undefined {
  const headerSize = crashInfoHeader.layout(abi).size
  if (bytes.length < headerSize) return undefined
  const cursor = new Cursor(bytes, abi.littleEndian, { file: name })
  if (cursor.big64('magic_number') !== crashInfoMagic) return undefined
  try {
    const info = parseCrashInfo(bytes, abi, name)
    const { ptRegsSize, cpuMaskSize } = info.header
    return headerSize + ptRegsSize + cpuMaskSize <= bytes.length ? info : undefined
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
