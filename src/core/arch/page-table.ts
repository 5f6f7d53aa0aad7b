// Page tables of any architecture: a list of levels, walked from the top, one step per level. However
// the tables of a damaged dump point at each other, a walk ends after as many steps as there are
// levels. Table memory is read in pieces that lie within one page, and each level keeps the last one,
// so going through memory in order reads every piece once.

import { alignDown, hex, type PhysAddr, type VirtAddr } from '../address.ts'
import { FaultError, KernelError } from '../errors.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import type { Mapping, Translation, WalkStep } from '../memory/virtual.ts'

export interface Level {
  /** As the kernel calls it: pgd, p4d, pud, pmd, pte. */
  readonly name: string
  /** Lowest address bit of the index; an entry covers 2^shift bytes. */
  readonly shift: number
  /** Index bits; a table has 2^bits entries of 8 bytes. */
  readonly bits: number
  /** An entry of this level may map memory itself. */
  readonly leaf: boolean
}

/** What an entry says: the next table, or memory. */
interface Entry {
  readonly kind: 'table' | 'leaf'
  /** Physical; bits below the size of what is mapped are ignored. Less than 2^53. */
  readonly address: bigint
  /** Of a leaf that maps more than an entry of its level covers: 2^shift bytes. */
  readonly shift?: number
}

export interface PageTableFormat {
  /** Top level first. */
  readonly levels: readonly Level[]
  /** Byte order of the entries; ppc64 keeps them big-endian on little-endian kernels too. */
  readonly littleEndian: boolean
  /** The address without tags, undefined when it is not one the kernel's tables can map. */
  canonical(address: VirtAddr): VirtAddr | undefined
  /** Undefined when the entry maps nothing. */
  decode(entry: bigint, level: Level): Entry | undefined
}

/** Bytes of table memory read at once; no page is smaller. */
const pieceBytes = 4096
const wrap = (value: bigint): bigint => BigInt.asUintN(64, value)

export class PageTables implements Translation {
  readonly #memory: PhysicalMemory
  readonly #format: PageTableFormat
  readonly #root: PhysAddr
  readonly #windows: Mapping[] = []
  readonly #pieces: { start: PhysAddr; view: DataView }[]

  /** @throws {KernelError} when `root` cannot be the address of a table. */
  constructor(memory: PhysicalMemory, format: PageTableFormat, root: bigint) {
    if (root < 0n || root > BigInt(Number.MAX_SAFE_INTEGER) || (root & 7n) !== 0n) {
      throw new KernelError(`no page table can be at physical address ${hex(wrap(root))}`, {
        hint: 'the VMCOREINFO note is damaged, or belongs to another kernel',
      })
    }
    this.#memory = memory
    this.#format = format
    this.#root = Number(root)
    this.#pieces = format.levels.map((level) => ({
      start: -1,
      view: new DataView(new ArrayBuffer(Math.min(8 * 2 ** level.bits, pieceBytes))),
    }))
  }

  get fixed(): readonly Mapping[] {
    return this.#windows
  }

  /** A stretch that needs no walk. */
  addWindow(window: Mapping): void {
    this.#windows.push(window)
  }

  /**
   * As addWindow, unless the page tables have another opinion about the physical addresses `samples`.
   * Tables that cannot be read have none.
   */
  addCheckedWindow(window: Mapping, samples: readonly PhysAddr[]): void {
    if (samples.every((sample) => this.#agrees(window, sample))) this.addWindow(window)
  }

  #agrees(window: Mapping, sample: PhysAddr): boolean {
    const address = window.start + BigInt(sample - window.physical)
    if (address < window.start || address >= window.end) return true
    try {
      return physicalIn(this.walk(address), address) === sample
    } catch (error) {
      if (error instanceof FaultError) return true
      throw error
    }
  }

  map(address: VirtAddr): Mapping | undefined {
    return this.#within(address, (at) => {
      for (const window of this.#windows) if (at >= window.start && at < window.end) return window
      return this.#walk(at)
    })
  }

  walk(address: VirtAddr): Mapping | undefined {
    return this.#within(address, (at) => this.#walk(at))
  }

  trace(address: VirtAddr): readonly WalkStep[] {
    const canonical = this.#format.canonical(address)
    const steps: WalkStep[] = []
    if (canonical !== undefined) this.#walk(canonical, steps)
    return steps
  }

  /** What `find` says of the canonical address, in terms of the address asked for. */
  #within(address: VirtAddr, find: (canonical: VirtAddr) => Mapping | undefined): Mapping | undefined {
    const canonical = this.#format.canonical(address)
    if (canonical === undefined) return undefined
    const mapping = find(canonical)
    if (mapping === undefined || canonical === address) return mapping
    const tag = address - canonical
    return { ...mapping, start: mapping.start + tag, end: mapping.end + tag }
  }

  #walk(address: VirtAddr, steps?: WalkStep[]): Mapping | undefined {
    let table = this.#root
    for (const [depth, level] of this.#format.levels.entries()) {
      const index = Number((address >> BigInt(level.shift)) & BigInt(2 ** level.bits - 1))
      const at = table + 8 * index
      const value = this.#entry(depth, at, address)
      steps?.push({ level: level.name, at, entry: value })
      const entry = this.#format.decode(value, level)
      if (entry === undefined) return undefined
      if (entry.kind === 'leaf') return leafMapping(address, entry.shift ?? level.shift, entry.address)
      table = Number(entry.address)
    }
    return undefined
  }

  #entry(depth: number, at: PhysAddr, address: VirtAddr): bigint {
    const piece = this.#pieces[depth] as { start: PhysAddr; view: DataView }
    const start = alignDown(at, piece.view.byteLength)
    if (piece.start !== start) {
      piece.start = -1
      this.#readTable(start, piece.view, address)
      piece.start = start
    }
    return piece.view.getBigUint64(at - start, this.#format.littleEndian)
  }

  #readTable(start: PhysAddr, view: DataView, address: VirtAddr): void {
    try {
      this.#memory.read(start, new Uint8Array(view.buffer))
    } catch (cause) {
      if (!(cause instanceof FaultError)) throw cause
      throw new FaultError('virtual', address, 1, cause.reason, {
        hint: `its page table at physical address ${hex(start)} cannot be read`,
        cause,
      })
    }
  }
}

function leafMapping(address: VirtAddr, shift: number, physical: bigint): Mapping {
  const size = 1n << BigInt(shift)
  const start = address & ~(size - 1n)
  return { start, end: start + size, physical: Number(physical & ~(size - 1n)) }
}

/** The physical address that `mapping` gives `address`. */
export const physicalIn = (mapping: Mapping | undefined, address: VirtAddr): PhysAddr | undefined =>
  mapping === undefined ? undefined : mapping.physical + Number(address - mapping.start)

/** Levels from the top down; `bits` of each, as the kernel's headers give them, from the lowest up. */
export function makeLevels(
  pageShift: number,
  list: readonly { readonly name: string; readonly bits: number; readonly leaf: boolean }[],
): Level[] {
  let shift = pageShift
  const levels: Level[] = []
  for (const { name, bits, leaf } of list) {
    levels.unshift({ name, bits, leaf, shift })
    shift += bits
  }
  return levels
}
