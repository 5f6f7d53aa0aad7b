// kallsyms: the symbol table that a kernel carries for its own messages. Names are compressed by tokens,
// addresses are offsets of which there are four kinds; what fits decides, never a version: the kernel's
// own VMCOREINFO names dozens of addresses that must come out right.
// Source: Linux scripts/kallsyms.c, kernel/kallsyms.c, kernel/kallsyms_internal.h.

import { MiB, type VirtAddr } from '../address.ts'
import { KernelError, tryRead } from '../errors.ts'
import type { VirtualMemory } from '../memory/virtual.ts'
import { NameIndex } from '../name-index.ts'
import { findNameLayout, readTokens, unpackNames } from './kallsyms-names.ts'
import { type KallsymsPlace, maxSymbols, statedPlace } from './kallsyms-place.ts'
import { searchKallsyms } from './kallsyms-search.ts'
import type { Kernel } from './kernel.ts'
import { type SymbolData, SymbolTable } from './symbols.ts'
import type { Vmcoreinfo } from './vmcoreinfo.ts'

/** Their names take 2 to 4 MiB. */
const maxNamesSize = 64 * MiB

/**
 * All symbols of the kernel itself, by VMCOREINFO (Linux 6.0 and later) or a search in its read-only data.
 * @throws {KernelError} no table is found, or none that agrees with VMCOREINFO
 * @throws {FaultError} a table is not in the dump
 */
export function readKallsyms(kernel: Kernel): SymbolTable {
  const stated = statedPlace(kernel)
  if (stated !== undefined) {
    const data = readTables(kernel, stated)
    if (data !== undefined) return new SymbolTable(data)
    throw new KernelError('the kernel symbol table (kallsyms) does not agree with VMCOREINFO', {
      hint: 'the dump may be damaged, or its VMCOREINFO may be of another kernel',
    })
  }
  for (const place of searchKallsyms(kernel)) {
    const data = tryRead(() => readTables(kernel, place))
    if (data !== undefined) return new SymbolTable(data)
  }
  throw new KernelError('no kernel symbol table (kallsyms) in the dump', {
    hint: 'the kernel may be built without CONFIG_KALLSYMS, or the pages may be missing',
  })
}

/** Undefined when the tables make no sense or agree with nothing. @throws {FaultError} */
function readTables({ memory, vmcoreinfo }: Kernel, place: KallsymsPlace): SymbolData | undefined {
  const { count, names, tokenTable } = place
  const namesSize = Number(tokenTable - names)
  if (count < 1 || count > maxSymbols || namesSize < count || namesSize > maxNamesSize) return undefined
  const packed = { bytes: memory.bytes(names, namesSize), address: names }
  const layout = findNameLayout(packed, count, memory.littleEndian)
  const tokens = readTokens(memory, place)
  if (layout === undefined || tokens === undefined) return undefined
  const { types, pool, poolStarts } = unpackNames(packed.bytes, layout, tokens)
  const index = new NameIndex(pool, poolStarts)
  const addresses = readAddresses(memory, place, index, vmcoreinfo)
  return addresses && { addresses, types, names: index }
}

/** Address of the symbol with a number. */
type Encoding = (index: number) => VirtAddr

/** The encoding by which most symbols are where VMCOREINFO says; undefined when there is no such symbol. */
function readAddresses(
  memory: VirtualMemory,
  place: KallsymsPlace,
  names: NameIndex,
  vmcoreinfo: Vmcoreinfo,
): BigUint64Array | undefined {
  const known = knownSymbols(vmcoreinfo).flatMap(([name, address]) =>
    names.find(name).map((index) => ({ index, address })),
  )
  let best: Encoding | undefined
  let most = 0
  for (const encoding of encodings(memory, place)) {
    const hits = known.filter(({ index, address }) => encoding(index) === address).length
    if (hits <= most) continue
    best = encoding
    most = hits
  }
  if (best === undefined) return undefined
  const addresses = new BigUint64Array(place.count)
  for (let i = 0; i < place.count; i++) addresses[i] = best(i)
  return addresses
}

function knownSymbols(vmcoreinfo: Vmcoreinfo): (readonly [string, VirtAddr])[] {
  return vmcoreinfo.keys().flatMap((key) => {
    const name = /^SYMBOL\((\w+)\)$/.exec(key)?.[1]
    const address = name === undefined ? undefined : vmcoreinfo.symbol(name)
    return name === undefined || address === undefined ? [] : [[name, address] as const]
  })
}

/** @throws {FaultError} */
function encodings(memory: VirtualMemory, place: KallsymsPlace): Encoding[] {
  const { count, offsets: start, relativeBase, addresses } = place
  const read = (from: VirtAddr, width: number): DataView =>
    new DataView(memory.bytes(from, width * count).buffer)
  const list: Encoding[] = []
  const { littleEndian } = memory
  if (start !== undefined) {
    const offsets = read(start, 4)
    if (relativeBase !== undefined) {
      const base = memory.u64(relativeBase)
      list.push((i) => base + BigInt(offsets.getUint32(4 * i, littleEndian)))
      // Absolute below zero_based per-CPU symbols. Gone since Linux commit 01157ddc58dc ("kallsyms:
      // Remove KALLSYMS_ABSOLUTE_PERCPU", v6.15).
      list.push((i) => {
        const offset = offsets.getInt32(4 * i, littleEndian)
        return offset >= 0 ? BigInt(offset) : base - 1n - BigInt(offset)
      })
    }
    // Since Linux commit a081b5789255 (v7.0) there is no base: relative to the element itself.
    list.push((i) => start + BigInt(4 * i + offsets.getInt32(4 * i, littleEndian)))
  }
  // Until Linux commit 64e166099b69 ("kallsyms: get rid of code for absolute kallsyms", v6.11).
  if (addresses !== undefined) {
    const table = read(addresses, 8)
    list.push((i) => table.getBigUint64(8 * i, littleEndian))
  }
  return list
}
