// What will be written, decided before the first byte: which pages stay, and what the headers say of
// the machine. Everything comes from the dump; what it does not tell stays unknown.

import { type Dump, isLoss, type Utsname } from '../../formats/dump.ts'
import { isPrstatus } from '../../formats/elf/notes.ts'
import { KiB, type Pfn } from '../address.ts'
import { elfMachines } from '../arch/elf-machines.ts'
import { findArch } from '../arch/index.ts'
import type { Bitmap } from '../bitmap.ts'
import { DumpError, FormatError, KernelError, type Warning } from '../errors.ts'
import {
  type Classification,
  classifyPages,
  type PageCounts,
  structPagesDamaged,
  withoutWalk,
} from '../kernel/classify-pages.ts'
import { type DumpPages, readDumpPages } from '../kernel/dump-pages.ts'
import { type Kernel, openKernel } from '../kernel/kernel.ts'
import { highestLevel } from '../kernel/page-kind.ts'
import type { MapDamage } from '../kernel/page-sanity.ts'
import { clearUnusedStructPages } from '../kernel/unused-struct-pages.ts'
import { readUtsname } from '../kernel/uts.ts'
import type { Mapping } from '../memory/virtual.ts'
import { checkLevel, needsKernel } from './dump-level.ts'
import { notErased } from './erase.ts'

export interface PlanOptions {
  /** Dump level, 0 to 31. */
  readonly level: number
  /** Refuse a dump that is incomplete or damaged, instead of copying what is there. */
  readonly strict?: boolean | undefined
  /** Leave out pages of struct pages that describe only pages that are left out. */
  readonly leaveOutUnusedStructPages?: boolean | undefined
}

export interface FilterPlan {
  /** Bytes. */
  readonly pageSize: number
  /** Asked for, and what an earlier filter left out. */
  readonly level: number
  /** Page after the last one of the output; the length of both bitmaps. */
  readonly maxMapnr: Pfn
  /** What the dump has. */
  readonly source: DumpPages
  /** Pages that were RAM. */
  readonly existing: Bitmap
  /** Pages to copy, zero pages included. */
  readonly keep: Bitmap
  readonly counts: PageCounts
  /** Pages left out because they describe only pages that are left out. */
  readonly unusedStructPages: number
  /** Existing pages that the dump does not hold: left out by an earlier filter, or cut off. */
  readonly missing: number
  /** The source says of itself, or shows, that it is incomplete. */
  readonly isCutShort: boolean
  /** Struct pages were overwritten: pages are kept that nobody can judge. */
  readonly damage: MapDamage | undefined
  readonly machine: MachineFacts
  /** Where the kernel has RAM in its address space without page tables; empty when that is not known. */
  readonly fixedMappings: readonly Mapping[]
  readonly warnings: readonly Warning[]
}

/** What a kdump header carries besides the pages. */
export interface MachineFacts {
  readonly utsname: Utsname
  /** Seconds since 1970, 0 when unknown. */
  readonly crashTime: number
  /** 64 bits; of the kernel image on x86_64, of RAM on arm64 and riscv64, 0 elsewhere. */
  readonly physBase: bigint
  /** NT_PRSTATUS notes. */
  readonly cpuCount: number
}

/**
 * @throws {UsageError} an impossible level
 * @throws {KernelError} level 2 and above: the dump does not say where its struct pages are
 */
export function planFilter(dump: Dump, options: PlanOptions): FilterPlan {
  const level = checkLevel(options.level) | ((dump.kdump?.dumpLevel ?? 0) & highestLevel)
  const warnings = [...dump.warnings]
  const kernel = tellingLoss(dump, () => findKernel(dump, level, warnings))
  const pageSize = kernel?.pageSize ?? dump.pageSize ?? usualPageSize(dump)
  const pages = readDumpPages(dump.memory, pageSize)
  const classified =
    kernel === undefined
      ? withoutWalk(pages)
      : tellingLoss(dump, () => classifyPages(kernel, { level, pages }))
  warnings.push(...classified.warnings)
  if (options.strict) refuseDamage(dump, classified)
  const maxMapnr = highestPage(dump, pages, classified.maxMapnr)
  const existing = pages.existing.resized(maxMapnr)
  const keep = classified.keep.resized(maxMapnr)
  const unused = options.leaveOutUnusedStructPages === true && kernel !== undefined && needsKernel(level)
  return {
    pageSize,
    level,
    maxMapnr,
    source: pages,
    existing,
    unusedStructPages: unused ? clearUnusedStructPages(kernel, existing, keep) : 0,
    keep,
    counts: classified.counts,
    isCutShort: dump.warnings.some(isLoss),
    damage: classified.damage,
    missing: existing.count() - pages.dumpable.count(0, maxMapnr),
    machine: machineFacts(dump, kernel, warnings),
    fixedMappings: kernel?.memory.fixed ?? [],
    warnings,
  }
}

/** What is missing may be why it fails: of a dump that is cut short that is said first. */
function tellingLoss<T>(dump: Dump, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const loss = dump.warnings.find(isLoss)
    if (!(cause instanceof DumpError) || loss === undefined) throw cause
    throw new KernelError(`${loss.message}, and ${cause.message}`, {
      hint: 'dump levels 0 and 1 copy what is there',
      cause,
    })
  }
}

/** @throws {FormatError} */
function refuseDamage(dump: Dump, { damage, warnings }: Classification): void {
  const isReason =
    damage === undefined
      ? (warning: Warning) => isLoss(warning) || warning.code === notErased
      : ({ code }: Warning) => code === structPagesDamaged
  const reason = [...dump.warnings, ...warnings].find(isReason)
  if (reason === undefined) return
  throw new FormatError({
    file: dump.name,
    field: 'the dump is damaged',
    expected: 'a dump that is whole, because of --strict',
    found: reason.message,
    hint: 'without --strict what is there is copied, and pages that cannot be judged are kept',
  })
}

/** Memory that ends below the last section with struct pages: a kdump file goes on saying where that is. */
function highestPage({ kdump }: Dump, pages: DumpPages, maxMapnr: Pfn): Pfn {
  const isCut = maxMapnr < pages.existing.length
  return isCut ? maxMapnr : Math.max(maxMapnr, kdump?.maxMapnr ?? 0)
}

/** Levels 0 and 1 can do without one. */
function findKernel(dump: Dump, level: number, warnings: Warning[]): Kernel | undefined {
  if (needsKernel(level)) return openKernel(dump)
  if (dump.vmcoreinfo === undefined) return undefined
  try {
    return openKernel(dump)
  } catch (error) {
    if (!(error instanceof DumpError)) throw error
    warnings.push({ code: error.code, message: `copied as plain memory: ${error.message}` })
    return undefined
  }
}

/**
 * Where neither a kernel nor a container says it: 64 KiB is usual on Power, and the memory map of a
 * kernel with small pages rarely happens to fit it.
 */
function usualPageSize({ elfMachine, segments }: Dump): number {
  const large = 64 * KiB
  const fits = segments.every((segment) => segment.physical % large === 0 && segment.memorySize % large === 0)
  return elfMachine === elfMachines.ppc64 && fits ? large : 4 * KiB
}

function machineFacts(dump: Dump, kernel: Kernel | undefined, warnings: Warning[]): MachineFacts {
  return {
    utsname: findUtsname(dump, kernel, warnings),
    crashTime: kernel?.vmcoreinfo.crashTime ?? dump.kdump?.crashTime ?? 0,
    physBase: findPhysBase(dump, kernel),
    cpuCount: dump.notes.filter(isPrstatus).length,
  }
}

function findUtsname(dump: Dump, kernel: Kernel | undefined, warnings: Warning[]): Utsname {
  try {
    if (kernel !== undefined) return headerUtsname(dump, kernel)
  } catch (error) {
    if (!(error instanceof DumpError)) throw error
    warnings.push({ code: error.code, message: `the kernel's name cannot be read: ${error.message}` })
  }
  if (dump.kdump !== undefined) return dump.kdump.utsname
  // The machine's name is the only thing in a kdump file that tells its architecture.
  return { ...nameless, machine: findArch(dump)?.utsMachine ?? '' }
}

/** The machine is not erased with the rest: it is the only thing in a kdump file that tells it. */
function headerUtsname(dump: Dump, kernel: Kernel): Utsname {
  const name = readUtsname(kernel)
  return dump.erased === undefined ? name : { ...name, machine: kernel.arch.utsMachine }
}

const nameless: Utsname = { sysname: '', nodename: '', release: '', version: '', machine: '', domainname: '' }

/** Source: makedumpfile write_kdump_header, get_phys_base. */
function findPhysBase(dump: Dump, kernel: Kernel | undefined): bigint {
  const key = physBaseKeys[dump.elfMachine]
  const value = key === undefined ? undefined : kernel?.vmcoreinfo.number(key)
  return BigInt.asUintN(64, value ?? dump.kdump?.physBase ?? 0n)
}

const physBaseKeys: Readonly<Record<number, string>> = {
  [elfMachines.x86_64]: 'phys_base',
  [elfMachines.aarch64]: 'PHYS_OFFSET',
  [elfMachines.riscv64]: 'phys_ram_base',
}
