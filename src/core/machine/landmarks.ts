// What a running kernel leaves at the start of pages, to be known again in any copy of its memory: the
// VMCOREINFO note that it exports, the device tree it was booted with, and the header it keeps for its
// capture kernel while fadump is registered. Looked for while memory is copied, read afterwards.

import { crashInfoHeader, crashInfoMagic } from '../../formats/fdh.ts'
import { readDeviceTree } from '../../formats/fdt/reader.ts'
import { type DeviceNode, findNode } from '../../formats/fdt/tree.ts'
import { hasBytes } from '../bytes.ts'
import { Cursor } from '../cursor.ts'
import { DumpError } from '../errors.ts'
import { readVmcoreinfoNote, startsVmcoreinfoNote } from '../kernel/vmcoreinfo-note.ts'
import { abi64le } from '../struct.ts'
import type { MemorySource } from './memory-source.ts'

/** Addresses of pages that start as the landmark does, few of each: a hostile memory is full of them. */
export interface Landmarks {
  readonly notes: number[]
  readonly trees: number[]
  readonly crashInfos: number[]
}

export const noLandmarks = (): Landmarks => ({ notes: [], trees: [], crashInfos: [] })

/** The page size is not known yet; this divides all. */
const step = 4096
const maxCandidates = 16
/** The device tree of a large machine is a few hundred KiB. */
const maxTreeSize = 4 * 1024 * 1024

const treeMagic = Buffer.from('d00dfeed', 'hex')
const crashInfoStart = crashInfoHeader.write({ magicNumber: crashInfoMagic }, abi64le).subarray(0, 8)

/** Look at the page starts of `bytes`, which is memory at `address`. */
export function collectLandmarks(address: number, bytes: Uint8Array, found: Landmarks): void {
  for (let at = (step - (address % step)) % step; at < bytes.length; at += step) {
    if (startsVmcoreinfoNote(bytes, at)) add(found.notes, address + at)
    else if (hasBytes(bytes, at, treeMagic)) add(found.trees, address + at)
    else if (hasBytes(bytes, at, crashInfoStart)) add(found.crashInfos, address + at)
  }
}

function add(list: number[], address: number): void {
  if (list.length < maxCandidates) list.push(address)
}

/** A landmark that could be read, and where. */
export interface Found<T> {
  readonly address: number
  readonly value: T
}

/** The kernel's VMCOREINFO text. */
export const findVmcoreinfo = (source: MemorySource, { notes }: Landmarks): Found<string> | undefined =>
  firstGood(notes, (address) => readVmcoreinfoNote(source, address, abi64le.littleEndian))

/** The device tree the kernel was booted with. */
export const findBootTree = (source: MemorySource, { trees }: Landmarks): Found<DeviceNode> | undefined =>
  firstGood(trees, (address) => {
    const header = cursorAt(source, address, 8)
    const size = new DataView(header.bytes.buffer).getUint32(4)
    if (size > maxTreeSize) return undefined
    const tree = readDeviceTree(cursorAt(source, address, size).bytes, source.name)
    const isBootTree = findNode(tree, '/chosen') !== undefined && findNode(tree, '/rtas') !== undefined
    return isBootTree ? tree : undefined
  })

/** What is compiled into a kernel, as its fadump_crash_info_header states it. */
export interface KernelSizes {
  /** sizeof(struct pt_regs) */
  readonly ptRegsSize: number
  /** CPUs that struct cpumask has room for. */
  readonly maxCpus: number
}

export const findKernelSizes = (
  source: MemorySource,
  { crashInfos }: Landmarks,
): Found<KernelSizes> | undefined =>
  firstGood(crashInfos, (address) => {
    const header = crashInfoHeader.read(
      cursorAt(source, address, crashInfoHeader.layout(abi64le).size),
      abi64le,
    )
    const { ptRegsSize, cpuMaskSize } = header
    const isSane = isSize(ptRegsSize, 352, 1024) && isSize(cpuMaskSize, 8, 1024)
    return isSane ? { ptRegsSize, maxCpus: cpuMaskSize * 8 } : undefined
  })

/** In whole 64-bit words. */
const isSize = (bytes: number, min: number, max: number): boolean =>
  bytes % 8 === 0 && bytes >= min && bytes <= max

/** The first candidate that reads well. A bad one is no error: what is not found is assumed. */
function firstGood<T>(
  addresses: readonly number[],
  read: (address: number) => T | undefined,
): Found<T> | undefined {
  for (const address of addresses) {
    try {
      const value = read(address)
      if (value !== undefined) return { address, value }
    } catch (error) {
      if (!(error instanceof DumpError)) throw error
    }
  }
  return undefined
}

function cursorAt(source: MemorySource, address: number, length: number): Cursor {
  const bytes = new Uint8Array(length)
  source.read(address, bytes)
  return new Cursor(bytes, abi64le.littleEndian, { file: source.name, base: address })
}
