// What the words of an erase configuration mean in one kernel: symbols, variables of loops, members.
// Pointers on the way are followed, as makedumpfile does; a mistake in the configuration is a UsageError,
// memory that cannot be had a FaultError.

import type { BtfKind } from '../../formats/btf/layout.ts'
import { findMember } from '../../formats/btf/members.ts'
import type { Btf } from '../../formats/btf/reader.ts'
import type { VirtAddr } from '../address.ts'
import { KernelError, UsageError } from '../errors.ts'
import { baseName, type CType, findCType, isCompound, outerLayer, sizeOf } from '../kernel/c-type.ts'
import type { Kernel } from '../kernel/kernel.ts'
import type { SymbolTable } from '../kernel/symbols.ts'
import { KernelTypes } from '../kernel/types.ts'
import { knownVariables } from '../kernel/variables.ts'
import type { EraseSection } from './erase-config.ts'

/** A thing in memory. */
export interface Place {
  readonly address: VirtAddr
  /** Undefined for a variable of which nothing is known but its symbol. */
  readonly type: CType | undefined
}

export interface ScopeInputs {
  readonly kernel: Kernel
  /** Of the kernel; after those of the module in a module's section. */
  readonly symbols: readonly SymbolTable[]
  /** Undefined when the kernel describes no types. */
  readonly btf: Btf | undefined
  readonly section: EraseSection
}

const integers: ReadonlySet<BtfKind> = new Set(['int', 'enum', 'enum64'])
/** Pointers to pointers that a dot follows. */
const maxFollowed = 4

export class EraseScope {
  readonly types: KernelTypes | undefined
  readonly #inputs: ScopeInputs

  constructor(inputs: ScopeInputs) {
    this.#inputs = inputs
    this.types = inputs.btf && new KernelTypes(inputs.btf)
  }

  get memory(): Kernel['memory'] {
    return this.#inputs.kernel.memory
  }

  /** @throws {UsageError} the kernel describes no types */
  get btf(): Btf {
    const { btf } = this.#inputs
    if (btf !== undefined) return btf
    throw new UsageError('this kernel does not describe its types (BTF)', { hint: 'give size N' })
  }

  /**
   * Where `a.b.c` is: each CPU's, for a per-CPU variable; nothing when a pointer on the way is NULL.
   * @param variables of loops
   * @throws {UsageError | FaultError}
   */
  places(expression: string, variables: ReadonlyMap<string, Place>): Place[] {
    const [root = '', ...members] = expression.split('.')
    const variable = variables.get(root)
    const roots = variable === undefined ? this.#symbolPlaces(root) : [variable]
    return roots.flatMap((place) => {
      let at: Place | undefined = place
      for (const member of members) at = at && this.member(at, member, expression)
      return at ?? []
    })
  }

  /** @throws {UsageError | FaultError} */
  member(place: Place, name: string, expression: string): Place | undefined {
    const struct = this.follow(place, expression)
    if (struct === undefined) return undefined
    const found = isCompound(this.btf, struct.type) ? findMember(this.btf, struct.type.base, name) : undefined
    if (found === undefined || found.bits !== undefined) {
      const what = baseName(this.btf, struct.type)
      throw new UsageError(
        found === undefined
          ? `${expression}: ${what === '' ? 'it' : what} has no member ${name}`
          : `${expression}: ${name} is a bit field`,
      )
    }
    return { address: struct.address + BigInt(found.bit / 8), type: { base: found.type, layers: [] } }
  }

  /** What a place, or the pointer there, is: a struct. Undefined for NULL. @throws {UsageError | FaultError} */
  follow(place: Place, expression: string): (Place & { readonly type: CType }) | undefined {
    let { address, type } = place
    if (type === undefined) throw this.unknownType(expression)
    for (let step = 0; step <= maxFollowed; step++) {
      const outer = outerLayer(this.btf, type)
      if (outer === undefined) return { address, type }
      if (outer.layer.kind === 'array') {
        throw new UsageError(`${expression}: an array has no members`, { hint: 'use for … in … endfor' })
      }
      address = this.memory.u64(address)
      if (address === 0n) return undefined
      type = outer.inner
    }
    throw new UsageError(`${expression}: too many pointers to pointers`)
  }

  /** Bytes. @throws {UsageError} void, a function, an array without a length */
  sizeOf(type: CType, expression: string): number {
    const size = sizeOf(this.btf, type)
    if (size !== undefined) return size
    throw new UsageError(`${expression}: its type says no size`, {
      hint: 'give size N, or nullify a pointer',
    })
  }

  /** The value of an integer, or of one that is pointed to. @throws {UsageError | KernelError | FaultError} */
  integer(expression: string, variables: ReadonlyMap<string, Place>): number {
    const [place] = this.places(expression, variables)
    const value = place && this.follow(place, expression)
    if (value === undefined) throw new KernelError(`the size ${expression} is behind a NULL pointer`)
    const size = sizeOf(this.btf, value.type)
    if (!integers.has(this.btf.kind(this.btf.resolve(value.type.base))) || size === undefined || size > 8) {
      throw new UsageError(`${expression} is no integer, so no size`)
    }
    const bytes = Buffer.from(this.memory.bytes(value.address, size))
    const digits = this.memory.littleEndian ? bytes.reverse() : bytes
    return Number(`0x${digits.toString('hex')}`)
  }

  unknownType(expression: string): UsageError {
    const root = expression.split('.')[0]
    return new UsageError(`${expression}: kernels describe types, but not which of them ${root} has`, {
      hint: `declare it as its source does, such as: declare struct foo *${root}; or give size N`,
    })
  }

  #symbolPlaces(name: string): Place[] {
    const { kernel, symbols } = this.#inputs
    const found = symbols.map((table) => table.find(name)).find((list) => list.length > 0) ?? []
    if (found.length > 1) {
      throw new UsageError(`${name}: the kernel has ${found.length} symbols of that name`)
    }
    const address = found[0]?.address ?? kernel.vmcoreinfo.symbol(name)
    if (address === undefined) throw new UsageError(`the kernel has no symbol ${name}`)
    const type = this.#variableType(name, found[0]?.module)
    return this.#cpuOffsets(address).map((offset) => ({
      address: BigInt.asUintN(64, address + offset),
      type,
    }))
  }

  #variableType(name: string, module: string | undefined): CType | undefined {
    const { btf, section } = this.#inputs
    const declared = section.declarations.get(name)
    if (btf === undefined) return undefined
    if (declared !== undefined) {
      const type = findCType(btf, declared)
      if (type !== undefined) return type
      throw new UsageError(`${name}: the kernel has no type ${declared.base}`)
    }
    const [described] = btf.find(name, ['variable'])
    if (described !== undefined) return { base: described, layers: [] }
    const known = module === undefined ? knownVariables.get(name) : undefined
    return known && findCType(btf, known)
  }

  /** What to add for each CPU; one 0 for a variable that exists once. */
  #cpuOffsets(address: VirtAddr): bigint[] {
    const { kernel, symbols } = this.#inputs
    const symbol = (name: string): VirtAddr | undefined => symbols.at(-1)?.address(name)
    const start = symbol('__per_cpu_start')
    const end = symbol('__per_cpu_end')
    const offsets = symbol('__per_cpu_offset')
    if (start === undefined || end === undefined || offsets === undefined) return [0n]
    if (address < start || address >= end) return [0n]
    const possible = symbol('__cpu_possible_mask')
    if (possible === undefined) throw new UsageError('the kernel does not say which CPUs it has')
    const words = Math.ceil((this.types?.size('cpumask') ?? 8) / 8)
    return Array.from({ length: Math.min(words, maxCpus / 64) }, (_, i) => i).flatMap((word) => {
      const bits = kernel.memory.u64(possible + BigInt(8 * word))
      return Array.from({ length: 64 }, (_, bit) => bit)
        .filter((bit) => ((bits >> BigInt(bit)) & 1n) === 1n)
        .map((bit) => kernel.memory.u64(offsets + BigInt(8 * (64 * word + bit))))
    })
  }
}

/** CONFIG_NR_CPUS is less everywhere. */
const maxCpus = 16384
