// Where a kernel has the tables of kallsyms, and what VMCOREINFO says of it.

import type { VirtAddr } from '../address.ts'
import type { Kernel } from './kernel.ts'

/** Where a kernel has its tables. */
export interface KallsymsPlace {
  readonly count: number
  readonly names: VirtAddr
  readonly tokenTable: VirtAddr
  readonly tokenIndex: VirtAddr
  /** 32 bits a symbol; their meaning is one of the encodings. */
  readonly offsets?: VirtAddr | undefined
  readonly relativeBase?: VirtAddr | undefined
  /** 64 bits a symbol, of kernels before 6.11 configured so. */
  readonly addresses?: VirtAddr | undefined
}

/** Fifteen times a distribution's kernel. */
export const maxSymbols = 4_000_000
// Since Linux commit 5fd8fea935a1 ("vmcoreinfo: include kallsyms symbols", v6.0).
/** Undefined when VMCOREINFO does not say. @throws {FaultError} */
export function statedPlace({ vmcoreinfo, memory }: Kernel): KallsymsPlace | undefined {
  const symbol = (name: string): VirtAddr | undefined => vmcoreinfo.symbol(`kallsyms_${name}`)
  const [count, names, tokenTable, tokenIndex] = [
    symbol('num_syms'),
    symbol('names'),
    symbol('token_table'),
    symbol('token_index'),
  ]
  if (count === undefined || names === undefined) return undefined
  if (tokenTable === undefined || tokenIndex === undefined) return undefined
  return {
    count: memory.u32(count),
    names,
    tokenTable,
    tokenIndex,
    offsets: symbol('offsets'),
    relativeBase: symbol('relative_base'),
    addresses: symbol('addresses'),
  }
}
