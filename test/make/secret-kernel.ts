// The example of makedumpfile.conf(5), in memory: three struct s1 that are a list, a chain and an array of
// pointers at once, and strings and keys they point to.
//
//   struct s1 { struct s1 *next; struct list_head list; char private[100]; void *key; long key_size; };
//   struct s2 { char *name; void *addr; int addr_size; unsigned flag : 1; };

import type { Kernel } from '../../src/core/kernel/kernel.ts'
import type { SymbolTable } from '../../src/core/kernel/symbols.ts'
import { KernelTypes } from '../../src/core/kernel/types.ts'
import { Vmcoreinfo } from '../../src/core/kernel/vmcoreinfo.ts'
import type { Range } from '../../src/core/ranges.ts'
import { Btf } from '../../src/formats/btf/reader.ts'
import { info, makeBtf } from './btf.ts'
import { kernelBase, makeKernelMemory } from './kernel-memory.ts'
import { makeSymbolTable } from './symbol-table.ts'

const { bytes: btfBytes } = makeBtf({
  types: [
    /* 1 */ ['char', info(1), 1, 8],
    /* 2 */ ['long int', info(1), 8, (1 << 24) | 64],
    /* 3 */ ['list_head', info(4, 2), 16, 'next', 4, 0, 'prev', 4, 64],
    /* 4 */ ['', info(2), 3],
    /* 5 */ ['', info(3), 0, 1, 2, 100],
    /* 6 */ ['', info(2), 0],
    /* 7 */ [
      's1',
      info(4, 5),
      144,
      'next',
      8,
      0,
      'list',
      3,
      64,
      'private',
      5,
      192,
      'key',
      6,
      1024,
      'key_size',
      2,
      1088,
    ],
    /* 8 */ ['', info(2), 7],
    /* 9 */ ['', info(2), 1],
    /* 10 */ ['int', info(1), 4, (1 << 24) | 32],
    /* 11 */ [
      's2',
      info(4, 4, 1),
      24,
      'name',
      9,
      0,
      'addr',
      6,
      64,
      'addr_size',
      10,
      128,
      'flag',
      10,
      (1 << 24) | 160,
    ],
  ],
})

/** Where things are, bytes from kernelBase. */
export const at = {
  mystruct1: 0x100,
  mystruct2: 0x120,
  list: 0x140,
  pointers: 0x160,
  chain: 0x180,
  counter: 0x188,
  /** The s1 structs. */
  items: [0x1000, 0x2f80, 0x4000],
  /** Their keys. */
  keys: [0x5000, 0x5100, 0x5200],
  name: 0x6000,
  data: 0x6100,
} as const

export interface SecretKernel {
  readonly kernel: Kernel
  readonly symbols: SymbolTable
  readonly types: KernelTypes
}

export function makeSecretKernel(
  missing: readonly Range[] = [],
  edit: (bytes: Buffer) => void = () => {},
): SecretKernel {
  const bytes = Buffer.alloc(0x8000)
  const pointer = (to: number | undefined, where: number): void => {
    bytes.writeBigUInt64LE(to === undefined ? 0n : kernelBase + BigInt(to), where)
  }
  pointer(at.name, at.mystruct1)
  pointer(at.data, at.mystruct1 + 8)
  bytes.writeUInt32LE(77, at.mystruct1 + 16)
  pointer(at.mystruct2 + 8, at.mystruct2)
  pointer(at.mystruct1, at.mystruct2 + 8)
  pointer(at.items[0], at.chain)
  bytes.write('Hello World\0', at.name, 'latin1')
  const nodes = [at.list, ...at.items.map((item) => item + 8), at.list]
  for (const [i, node] of nodes.slice(0, -1).entries()) {
    pointer(nodes[i + 1], node)
    pointer(node, (nodes[i + 1] as number) + 8)
  }
  for (const [i, item] of at.items.entries()) {
    pointer(at.items[i + 1], item)
    pointer(at.keys[i], item + 128)
    bytes.writeBigUInt64LE(BigInt(16 * (i + 1)), item + 136)
    // The second of four pointers is NULL.
    pointer(item, at.pointers + 8 * (i === 0 ? 0 : i + 1))
  }
  edit(bytes)
  const address = (offset: number): bigint => kernelBase + BigInt(offset)
  const symbols = makeSymbolTable([
    ['mystruct1', 'D', address(at.mystruct1)],
    ['mystruct2', 'D', address(at.mystruct2)],
    ['s1_list_head', 'd', address(at.list)],
    ['pointers', 'd', address(at.pointers)],
    ['chain', 'd', address(at.chain)],
    ['counter', 'd', address(at.counter)],
    ['twice', 't', address(0x190)],
    ['twice', 't', address(0x198)],
  ])
  const kernel = { memory: makeKernelMemory(bytes, missing), vmcoreinfo: new Vmcoreinfo(''), pageSize: 4096 }
  return {
    kernel: kernel as Kernel,
    symbols,
    types: new KernelTypes(new Btf(btfBytes, true, { file: 'built' })),
  }
}

/** The types that DWARF would tell makedumpfile. */
export const declarations = `declare struct s2 mystruct1
declare struct s2 **mystruct2
declare struct list_head s1_list_head
declare struct s1 *pointers[4]
declare struct s1 *chain
`
