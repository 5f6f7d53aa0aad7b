// Where the kernel keeps its request to firmware (RTAS: the FDM, a static variable). The memory of a
// machine that was registered holds it already, and there it is rewritten; otherwise it gets the highest
// empty page of boot memory that firmware can address, which the kernel then owns.

import type { FadumpConfig } from '../../formats/machine-image/state.ts'
import { alignDown, MiB } from '../address.ts'
import { tryRead } from '../errors.ts'
import { intersect, makeRanges, type Ranges, subtract } from '../ranges.ts'
import { nonZeroRuns } from '../sparse.ts'
import { abi64be } from '../struct.ts'
import { fdmHeader, fdmSize, maxSections, parseFdm, sectionTypes } from './fdm.ts'
import type { Machine } from './index.ts'

const chunkSize = 4 * MiB

/** Physical address; undefined when boot memory has no empty page left below the end of the real-mode area. */
export function findRequestPlace({ state, ram }: Machine, config: FadumpConfig): number | undefined {
  const reachable = intersect(bootMemory(config), [{ start: 0, end: state.firmwareState.rmaSize }])
  return findRequest(ram, reachable) ?? findEmptyPage({ state, ram }, config, reachable)
}

const bootMemory = (config: FadumpConfig): Ranges =>
  makeRanges(config.bootMemoryRegions.map(({ address, size }) => ({ start: address, end: address + size })))

/** The structure of an earlier registration: a header that no firmware wrote to, then a CPU state section. */
function findRequest(ram: Machine['ram'], ranges: Ranges): number | undefined {
  // Chunks overlap, so that a structure across two of them is whole in one.
  const overlap = fdmSize(maxSections)
  for (const { start, end } of ranges) {
    for (let at = start; at < end; at += chunkSize) {
      const bytes = new Uint8Array(Math.min(chunkSize + overlap, end - at))
      ram.read(at, bytes)
      const found = findHeader(bytes)
      if (found !== undefined) return at + found
    }
  }
  return undefined
}

const { size: headerSize, offsets } = fdmHeader.layout(abi64be)

/** The structure holds 64-bit members, so it starts at a multiple of 8, and never in a block of zeros. */
function findHeader(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const last = view.byteLength - fdmSize(2)
  const mayStart = (at: number): boolean =>
    view.getUint32(at + offsets.dumpFormatVersion) === 1 &&
    view.getUint32(at + offsets.offsetFirstDumpSection) === headerSize
  for (const { start, end } of nonZeroRuns(bytes)) {
    for (let at = start; at < end && at <= last; at += 8) {
      if (mayStart(at) && isRequest(bytes.subarray(at))) return at
    }
  }
  return undefined
}

function isRequest(bytes: Uint8Array): boolean {
  const fdm = tryRead(() => parseFdm(bytes, 'memory'))
  if (fdm === undefined) return false
  const { header, sections } = fdm
  const first = sections[0]
  return (
    sections.length >= 3 &&
    header.dumpStatusFlag === 0 &&
    header.ddBlockSize + header.ddBlockOffset + header.ddNumBlocks + header.ddOffsetDiskPath === 0 &&
    header.maxTimeAuto === 0 &&
    first?.requestFlag === 1 &&
    first.sourceDataType === sectionTypes.cpuState &&
    first.errorFlags === 0
  )
}

function findEmptyPage({ state, ram }: Machine, config: FadumpConfig, ranges: Ranges): number | undefined {
  const { pageSize } = state
  const page = Buffer.alloc(pageSize)
  const zero = Buffer.alloc(pageSize)
  const { parameterArea = 0 } = config
  // Address 0 means "no structure" to firmware.
  const taken = makeRanges([
    { start: 0, end: pageSize },
    { start: parameterArea, end: parameterArea + state.kernel.commandLineSize },
    ...state.reservedRanges,
  ])
  for (const { start, end } of subtract(ranges, taken).toReversed()) {
    for (let at = alignDown(end, pageSize) - pageSize; at >= start; at -= pageSize) {
      ram.read(at, page)
      if (page.equals(zero)) return at
    }
  }
  return undefined
}
