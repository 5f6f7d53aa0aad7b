// What struct page looks like in the dumped kernel, compiled to numbers that a loop over millions of
// pages can use. Every era is told by the keys that its VMCOREINFO has, never by a version number.
// Sources: Linux include/linux/{mm_types,page-flags}.h, kernel/vmcore_info.c; makedumpfile.c.

import type { Arch } from '../arch/index.ts'
import { KernelError } from '../errors.ts'
import { required, type Vmcoreinfo } from './vmcoreinfo.ts'

/** Matches a record when `(word & mask) === value`, as signed 32-bit numbers. */
export interface WordTest {
  readonly mask: number
  readonly value: number
}

/** A test that no word passes: the kernel does not know that kind of page. */
export const never: WordTest = { mask: 0, value: 1 }

/** Offsets are bytes into struct page; `…Low` and `…High` are the halves of an unsigned long. */
export interface PageFields {
  readonly littleEndian: boolean
  /** sizeof(struct page) */
  readonly size: number
  /** Low half of page.flags: no flag of interest is above bit 31. */
  readonly flags: number
  readonly refcount: number
  /** Larger reference counts occur in no good record. */
  readonly mostReferences: number
  readonly mappingLow: number
  readonly mappingHigh: number
  /** Upper half of the lowest address that page.mapping can hold. */
  readonly lowestMappingHigh: number
  /** page._mapcount, which a page with a type has its type in. */
  readonly mapcount: number
  readonly privateLow: number
  readonly privateHigh: number
  /** Low half of the word whose bit 0 marks a tail page; undefined when the kernel names none. */
  readonly compoundLow: number | undefined
  readonly compoundHigh: number
  readonly flag: {
    readonly lru: number
    readonly private: number
    readonly swapCache: number
    readonly swapBacked: number
    readonly head: number
    readonly poisoned: number
    readonly slab: number
  }
  readonly type: {
    readonly buddy: WordTest
    readonly offline: WordTest
    readonly slab: WordTest
    readonly unaccepted: WordTest
    readonly hugetlb: WordTest
  }
  /** Byte of the second struct page of a compound page that holds the order; undefined: not known. */
  readonly orderByte: number | undefined
  /** Flags of the second struct page that mark hugetlb. */
  readonly hugetlbFlag: number
  /** Byte of the second struct page, and its value, that mark hugetlb. */
  readonly hugetlbByte: { readonly at: number; readonly value: number } | undefined
  /** Number of orders of free blocks, LENGTH(zone.free_area). */
  readonly freeOrders: number
  /** Top bytes of _mapcount from 0x10 to 0xef occur in no good record. */
  readonly mapcountIsSmall: boolean
}

/** sizeof(struct page), bytes. @throws {KernelError} when it is not stated or absurd. */
export function structPageSize(vmcoreinfo: Vmcoreinfo): number {
  const size = required(vmcoreinfo.size('page'), 'SIZE(page)')
  if (size >= 32 && size <= 1024 && size % 4 === 0) return size
  throw new KernelError(`VMCOREINFO says a struct page has ${size} bytes`)
}

/**
 * s390x kernels up to 6.7 keep in the top byte of a page table's reference count which halves of the page
 * are in use (0x03) and which are being freed (0x30). Source: Linux v6.1 arch/s390/mm/pgalloc.c.
 */
const s390xReferenceBits = 30

/**
 * `exactTypes` compares whole words, as makedumpfile does.
 * @throws {KernelError} when a member that every kernel has is not stated, or lies outside the struct.
 */
export function readPageFields(vmcoreinfo: Vmcoreinfo, arch: Arch, exactTypes: boolean): PageFields {
  const size = structPageSize(vmcoreinfo)
  const { littleEndian } = arch.abi
  const low = littleEndian ? 0 : 4
  const high = 4 - low
  const member = (name: string, bytes: number) => memberOffset(vmcoreinfo, name, bytes, size)
  const flags = required(member('page.flags', 8), 'OFFSET(page.flags)')
  const mapping = required(member('page.mapping', 8), 'OFFSET(page.mapping)')
  const owner = required(member('page.private', 8), 'OFFSET(page.private)')
  // Since Linux 7.1 the member is compound_info, which may hold a mask instead of the head's address.
  const compound = member('page.compound_info', 8) ?? member('page.compound_head', 8)
  const type = (name: string) => typeTest(vmcoreinfo, name, exactTypes)
  const fields = {
    littleEndian,
    size,
    flags: flags + low,
    refcount: required(member('page._refcount', 4) ?? member('page._count', 4), 'OFFSET(page._refcount)'),
    mostReferences: 2 ** (arch.name === 's390x' ? s390xReferenceBits : 24),
    mappingLow: mapping + low,
    mappingHigh: mapping + high,
    lowestMappingHigh: Number(arch.lowestAddress >> 32n),
    mapcount: required(member('page._mapcount', 4), 'OFFSET(page._mapcount)'),
    privateLow: owner + low,
    privateHigh: owner + high,
    compoundLow: compound === undefined ? undefined : compound + low,
    compoundHigh: (compound ?? 0) + high,
    flag: readFlags(vmcoreinfo, exactTypes),
    type: {
      buddy: type('BUDDY'),
      offline: type('OFFLINE'),
      slab: type('SLAB'),
      unaccepted: type('UNACCEPTED'),
      hugetlb: type('HUGETLB'),
    },
    freeOrders: Math.min(vmcoreinfo.length('zone.free_area') ?? 0, 32),
  }
  const { value, mask } = fields.type.buddy
  return {
    ...fields,
    ...compoundFields(vmcoreinfo, fields, member),
    mapcountIsSmall: !(mask !== 0 && value >>> 24 < 0xf0),
  }
}

type MemberOffset = (name: string, bytes: number) => number | undefined

function memberOffset(vmcoreinfo: Vmcoreinfo, name: string, bytes: number, size: number): number | undefined {
  const offset = vmcoreinfo.offset(name)
  if (offset === undefined || offset + bytes <= size) return offset
  throw new KernelError(`VMCOREINFO says ${name} is at ${offset} of ${size} bytes`)
}

function readFlags(vmcoreinfo: Vmcoreinfo, exactTypes: boolean): PageFields['flag'] {
  const lru = required(flagMask(vmcoreinfo, 'PG_lru'), 'NUMBER(PG_lru)')
  const owned = required(flagMask(vmcoreinfo, 'PG_private'), 'NUMBER(PG_private)')
  // Since Linux 6.10 slab is a type, PG_slab is gone and its old bit means that someone waits.
  const slabIsType = vmcoreinfo.number('PAGE_SLAB_MAPCOUNT_VALUE') !== undefined
  const slab = flagMask(vmcoreinfo, 'PG_slab') ?? 1 << 7
  return {
    lru,
    private: owned,
    swapCache: flagMask(vmcoreinfo, 'PG_swapcache') ?? 0,
    swapBacked: flagMask(vmcoreinfo, 'PG_swapbacked') ?? 0,
    head: Number(BigInt.asUintN(32, vmcoreinfo.number('PG_head_mask') ?? 0n)),
    poisoned: flagMask(vmcoreinfo, 'PG_hwpoison') ?? 0,
    slab: slabIsType && !exactTypes ? 0 : slab,
  }
}

function flagMask(vmcoreinfo: Vmcoreinfo, name: string): number | undefined {
  const bit = vmcoreinfo.number(name)
  if (bit === undefined) return undefined
  if (bit < 0n || bit > 31n) throw new KernelError(`VMCOREINFO says NUMBER(${name}) is ${bit}`)
  return 1 << Number(bit)
}

/**
 * Which part of _mapcount is the type. Since Linux 6.12 it is the top byte and the rest is free for
 * the owner; in 6.11 it is the upper half; before, the whole word.
 */
function typeTest(vmcoreinfo: Vmcoreinfo, name: string, exact: boolean): WordTest {
  const stated = vmcoreinfo.number(`PAGE_${name}_MAPCOUNT_VALUE`)
  if (stated === undefined) return never
  const value = Number(BigInt.asIntN(32, stated))
  const top = value >>> 24
  if (exact) return { mask: -1, value }
  if (top >= 0xf0 && (value & 0xffffff) === 0) return { mask: 0xff000000 | 0, value }
  if (top < 0xf0) return { mask: 0xffff0000 | 0, value: value & 0xffff0000 }
  return { mask: -1, value }
}

type CompoundFields = Pick<PageFields, 'orderByte' | 'hugetlbFlag' | 'hugetlbByte'>

/** Where the second struct page of a compound page says how many pages it has and whether it is hugetlb. */
function compoundFields(
  vmcoreinfo: Vmcoreinfo,
  { size, flags, littleEndian, type }: Pick<PageFields, 'size' | 'flags' | 'littleEndian' | 'type'>,
  member: MemberOffset,
): CompoundFields {
  const hugetlbFlag = flagMask(vmcoreinfo, 'PG_hugetlb') ?? 0
  if (type.hugetlb !== never || hugetlbFlag !== 0) {
    // Since Linux 6.6 the order is the low byte of folio._flags_1.
    const orderByte = littleEndian ? flags : flags + 3
    return { orderByte, hugetlbFlag: type.hugetlb === never ? hugetlbFlag : 0, hugetlbByte: undefined }
  }
  // Linux 6.3 to 6.5 name the members of struct folio, which spans both struct pages.
  const inFolio = (name: string) => {
    const offset = vmcoreinfo.offset(name)
    return offset !== undefined && offset >= size && offset < 2 * size ? offset - size : undefined
  }
  const orderByte = member('page.compound_order', 1) ?? inFolio('folio._folio_order')
  const at = member('page.compound_dtor', 1) ?? inFolio('folio._folio_dtor')
  const dtor = vmcoreinfo.number('HUGETLB_PAGE_DTOR')
  const known = at !== undefined && dtor !== undefined
  return { orderByte, hugetlbFlag: 0, hugetlbByte: known ? { at, value: Number(dtor) } : undefined }
}
