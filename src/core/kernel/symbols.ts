// Names of addresses. A kernel has some 200,000 symbols: they are kept as numbers beside one pool of
// names, and become objects only when somebody asks for one.
// Source: Linux kernel/kallsyms.c (get_symbol_pos), include/linux/kallsyms.h.

import type { VirtAddr } from '../address.ts'
import { KiB } from '../address.ts'
import type { NameIndex } from '../name-index.ts'

export interface KernelSymbol {
  readonly name: string
  readonly address: VirtAddr
  /** As nm has it: t and T are code, d and D data, r and R constants, a and A numbers, … */
  readonly type: string
  /** Undefined for symbols of the kernel itself. */
  readonly module: string | undefined
}

export interface SymbolPlace {
  readonly symbol: KernelSymbol
  /** Bytes behind its start. */
  readonly offset: number
  /** To the next symbol at most; the table has no sizes. */
  readonly size: number
}

/** One item a symbol, in any order. */
export interface SymbolData {
  readonly addresses: BigUint64Array
  /** Character codes of the type letters. */
  readonly types: Uint8Array
  readonly names: NameIndex
}

/** What follows data need not belong to it. */
const maxDataSize = 64n * BigInt(KiB)

/** Names that the compiler gave to parts and copies of functions. */
const derivedName = /\.(cold|part|constprop|isra|llvm)\b/

export class SymbolTable {
  readonly length: number
  readonly module: string | undefined
  readonly #data: SymbolData
  #order: Uint32Array | undefined

  constructor(data: SymbolData, module?: string) {
    this.length = data.addresses.length
    this.module = module
    this.#data = data
  }

  /** The symbol with number `index`, 0 ≤ index < length. */
  at(index: number): KernelSymbol {
    const { addresses, names } = this.#data
    return {
      name: names.name(index),
      address: addresses[index] as bigint,
      type: this.#type(index),
      module: this.module,
    }
  }

  *[Symbol.iterator](): Generator<KernelSymbol> {
    for (let i = 0; i < this.length; i++) yield this.at(i)
  }

  /** All symbols of that name, in the order of the table: static ones of several files may share it. */
  find(name: string): KernelSymbol[] {
    return this.#data.names.find(name).map((index) => this.at(index))
  }

  /** Address of the first symbol of that name. */
  address(name: string): VirtAddr | undefined {
    return this.find(name)[0]?.address
  }

  /**
   * What holds `address`: of several names the global one, then the one that the source has. Undefined
   * before the first symbol and too far behind one. Symbols that are mere numbers (type A) hold nothing.
   */
  nearest(address: VirtAddr): SymbolPlace | undefined {
    const { addresses } = this.#data
    this.#order ??= this.#byAddress()
    const order = this.#order
    const after = this.#firstAbove(order, address)
    if (after === 0) return undefined
    const start = addresses[order[after - 1] as number] as bigint
    const next = after < order.length ? addresses[order[after] as number] : undefined
    let first = after - 1
    while (first > 0 && addresses[order[first - 1] as number] === start) first--
    const symbol = this.#best(order.subarray(first, after))
    const gap = next === undefined ? maxDataSize : next - start
    const isText = /[tTwW]/.test(symbol.type) && next !== undefined
    const size = isText || gap < maxDataSize ? gap : maxDataSize
    if (address - start >= size) return undefined
    return { symbol, offset: Number(address - start), size: Number(size) }
  }

  #type(index: number): string {
    return String.fromCharCode(this.#data.types[index] as number)
  }

  /** Numbers of the symbols that are places, by address, then as the table has them. */
  #byAddress(): Uint32Array {
    const { addresses } = this.#data
    const order = new Uint32Array(this.length)
    let count = 0
    let last = 0n
    let isSorted = true
    for (let i = 0; i < this.length; i++) {
      if (/[aA]/.test(this.#type(i))) continue
      const address = addresses[i] as bigint
      if (address < last) isSorted = false
      last = address
      order[count++] = i
    }
    const places = order.subarray(0, count)
    if (!isSorted) {
      places.sort((a, b) => {
        const [first, second] = [addresses[a] as bigint, addresses[b] as bigint]
        return first < second ? -1 : first > second ? 1 : a - b
      })
    }
    return places
  }

  /** Position in `order` of the first symbol above `address`. */
  #firstAbove(order: Uint32Array, address: VirtAddr): number {
    const { addresses } = this.#data
    let low = 0
    let high = order.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((addresses[order[middle] as number] as bigint) <= address) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Of symbols at one address; not more of them than make a choice meaningful. */
  #best(indexes: Uint32Array): KernelSymbol {
    const symbols = [...indexes.subarray(0, 64)].map((index) => this.at(index))
    const rank = ({ name, type }: KernelSymbol): number =>
      (/[A-Z]/.test(type) ? 0 : 2) + (derivedName.test(name) ? 1 : 0)
    return symbols.reduce((best, symbol) => (rank(symbol) < rank(best) ? symbol : best))
  }
}
