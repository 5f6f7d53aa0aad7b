// Loaded modules, their symbols and their types. A module keeps the symbol table of its object file,
// without what only its initialization needed.
// Source: Linux include/linux/module.h, kernel/module/kallsyms.c, kernel/bpf/btf.c (btf_modules).

import type { Btf } from '../../formats/btf/reader.ts'
import { ElfSymbols, elfSections, elfSymbolSize } from '../../formats/elf/symtab.ts'
import { hex, MiB, type VirtAddr } from '../address.ts'
import { KernelError } from '../errors.ts'
import { presentBytes } from '../memory/present-bytes.ts'
import type { VirtualMemory } from '../memory/virtual.ts'
import { NameIndex, readName } from '../name-index.ts'
import { readBtf } from './btf.ts'
import type { Kernel } from './kernel.ts'
import { walkList } from './lists.ts'
import { SymbolTable } from './symbols.ts'
import type { KernelTypes } from './types.ts'

export interface Module {
  readonly name: string
  /** Of its struct module. */
  readonly address: VirtAddr
}

/** What is known of the kernel itself. */
export interface KernelNames {
  readonly symbols: SymbolTable
  readonly types: KernelTypes
}

const maxModules = 10_000
const maxSymbols = 1_000_000
const maxNames = 64 * MiB
/** MODULE_NAME_LEN is less on every machine. */
const maxNameLength = 64

/** In the order of the list. @throws {KernelError | FaultError} */
export function readModules({ memory }: Kernel, { symbols, types }: KernelNames): Module[] {
  const head = symbols.address('modules')
  if (head === undefined) throw new KernelError('the kernel has no symbol modules')
  const list = BigInt(types.offset('module', 'list'))
  const name = BigInt(types.offset('module', 'name'))
  return Array.from(walkList(memory, head, maxModules), (node) => ({
    name: memory.string(node - list + name, maxNameLength),
    address: node - list,
  }))
}

/** Not names of the source: mapping symbols of Arm, CRCs of exports, notes, labels of the compiler. */
const ignoredName = /^(\$|__crc_|_note_|\.L)/
/** The last name goes on behind its start. */
const maxNameSlack = 512

/** @throws {KernelError | FaultError} */
export function readModuleSymbols({ memory }: Kernel, types: KernelTypes, module: Module): SymbolTable {
  const table = module.address + BigInt(types.offset('module', 'core_kallsyms'))
  const field = (name: string): VirtAddr => table + BigInt(types.offset('mod_kallsyms', name))
  const count = memory.u32(field('num_symtab'))
  if (count > maxSymbols)
    throw new KernelError(`module ${module.name} at ${hex(module.address)} has ${count} symbols`)
  const bytes = memory.bytes(memory.u64(field('symtab')), count * elfSymbolSize)
  const symbols = new ElfSymbols(bytes, memory.littleEndian)
  const names = readNames(symbols, memory, memory.u64(field('strtab')))
  // Before Linux commit 1c7651f43777 ("kallsyms: store type information in its own array", v5.2) the
  // letter took the place of st_info.
  const letters =
    types.member('mod_kallsyms', 'typetab') === undefined
      ? Uint8Array.from({ length: count }, (_, i) => symbols.info(i))
      : memory.bytes(memory.u64(field('typetab')), count)
  const kept: number[] = []
  for (let i = 1; i < count; i++) {
    const name = readName(names, symbols.name(i))
    const isDefined = symbols.section(i) !== elfSections.undefined
    if (isDefined && name !== '' && !ignoredName.test(name)) kept.push(i)
  }
  return new SymbolTable(
    {
      addresses: BigUint64Array.from(kept, (i) => symbols.value(i)),
      types: Uint8Array.from(kept, (i) => letters[i] as number),
      names: new NameIndex(
        names,
        Uint32Array.from(kept, (i) => symbols.name(i)),
      ),
    },
    module.name,
  )
}

/** The string table, as far as names lead into it. */
function readNames(symbols: ElfSymbols, memory: VirtualMemory, address: VirtAddr): Uint8Array {
  let size = 0
  for (let i = 0; i < symbols.length; i++) size = Math.max(size, symbols.name(i) + maxNameSlack)
  return presentBytes(memory, address, Math.min(size, maxNames))
}

/**
 * Types of a module alone, which go on where the kernel's end; undefined when it has none.
 * @throws {KernelError | FaultError | FormatError}
 */
export function readModuleBtf(
  kernel: Kernel,
  { symbols, types }: KernelNames,
  module: Module,
): Btf | undefined {
  const { memory } = kernel
  const head = symbols.address('btf_modules')
  if (head === undefined || types.struct('btf_module') === undefined) return undefined
  const field = (struct: string, path: string): bigint => BigInt(types.offset(struct, path))
  for (const node of walkList(memory, head, maxModules)) {
    const entry = node - field('btf_module', 'list')
    if (memory.u64(entry + field('btf_module', 'module')) !== module.address) continue
    const btf = memory.u64(entry + field('btf_module', 'btf'))
    const address = memory.u64(btf + field('btf', 'data'))
    const size = memory.u32(btf + field('btf', 'data_size'))
    return readBtf(kernel, address, size, `BTF of module ${module.name}`, types.btf)
  }
  return undefined
}
