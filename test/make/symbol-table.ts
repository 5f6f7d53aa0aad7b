// Symbol tables as a test lists them: name, type letter, address.

import { SymbolTable } from '../../src/core/kernel/symbols.ts'
import { NameIndex } from '../../src/core/name-index.ts'

export type MadeSymbol = readonly [name: string, type: string, address: bigint]

export function makeSymbolTable(symbols: readonly MadeSymbol[], module?: string): SymbolTable {
  const starts = new Uint32Array(symbols.length)
  let end = 0
  symbols.forEach(([name], i) => {
    starts[i] = end
    end += name.length + 1
  })
  const pool = Buffer.from(symbols.map(([name]) => `${name}\0`).join(''), 'latin1')
  return new SymbolTable(
    {
      addresses: BigUint64Array.from(symbols, ([, , address]) => address),
      types: Uint8Array.from(symbols, ([, type]) => type.charCodeAt(0)),
      names: new NameIndex(pool, starts),
    },
    module,
  )
}
