// Erases what a configuration names from a dump: addresses are found before anything is copied, and from
// then on the dump's memory reads as wiped, for every output. A mistake in the configuration ends the
// work; data that a damaged dump does not lead to is reported, and the rest is erased.

import type { Dump, ErasedPart } from '../../formats/dump.ts'
import type { VirtAddr } from '../address.ts'
import { DumpError, KernelError, messageOf, tryRead, UsageError, type Warning } from '../errors.ts'
import { readKernelBtf } from '../kernel/btf.ts'
import { baseName, type CType, outerLayer } from '../kernel/c-type.ts'
import { readKallsyms } from '../kernel/kallsyms.ts'
import { type Kernel, openKernel } from '../kernel/kernel.ts'
import { readModuleBtf, readModuleSymbols, readModules } from '../kernel/modules.ts'
import type { SymbolTable } from '../kernel/symbols.ts'
import { KernelTypes } from '../kernel/types.ts'
import { editMemory, makePageEdits } from '../memory/page-edits.ts'
import { makeRanges, type Range, type Ranges } from '../ranges.ts'
import { type EraseCommand, type EraseConfig, type EraseSection, problem } from './erase-config.ts'
import { loopPlaces } from './erase-lists.ts'
import { EraseScope, type Place } from './erase-scope.ts'

/** A char * is erased up to its NUL, as makedumpfile does. */
const maxString = 1024
/** A size that a dump tells may be anything. */
const maxErased = 2 ** 28
/** Elements that loops go through, all in all. */
const maxParts = 4_000_000
const pointerSize = 8
const shownProblems = 20

/**
 * The dump with the named data wiped. Closing it closes `dump`.
 * @throws {UsageError} a mistake in the configuration, or it does not fit this kernel
 * @throws {KernelError | FaultError} the kernel's symbols cannot be read
 */
export function eraseDump(dump: Dump, config: EraseConfig): Dump {
  const kernel = openKernel(dump)
  const symbols = readKallsyms(kernel)
  const types = tryRead(() => new KernelTypes(readKernelBtf(kernel, symbols)))
  const { parts, warnings } = findErasedParts(kernel, { symbols, types }, config)
  const rangesOf = (nullified: boolean): Range[] =>
    parts.flatMap((part) => (part.nullified === nullified ? part.ranges : []))
  const edits = makePageEdits(rangesOf(false), rangesOf(true))
  return {
    ...dump,
    memory: editMemory(dump.memory, edits),
    erased: { edits, parts },
    warnings: [...dump.warnings, ...warnings],
    [Symbol.dispose]: () => dump[Symbol.dispose](),
  }
}

/** The code of warnings about data that should have been erased. */
export const notErased = 'NOT_ERASED'

export interface ErasedParts {
  readonly parts: readonly ErasedPart[]
  readonly warnings: readonly Warning[]
}

interface Names {
  readonly symbols: SymbolTable
  /** Undefined when the kernel describes none. */
  readonly types: KernelTypes | undefined
}

/** @throws {UsageError} as eraseDump */
export function findErasedParts(kernel: Kernel, names: Names, config: EraseConfig): ErasedParts {
  const eraser = new Eraser(kernel, names, config.file)
  for (const section of config.sections) eraser.erase(section)
  return eraser
}

class Eraser implements ErasedParts {
  readonly parts: ErasedPart[] = []
  readonly #kernel: Kernel
  readonly #file: string
  readonly #symbols: SymbolTable
  readonly #types: KernelTypes | undefined
  readonly #warnings: Warning[] = []
  #problems = 0

  constructor(kernel: Kernel, { symbols, types }: Names, file: string) {
    this.#kernel = kernel
    this.#file = file
    this.#symbols = symbols
    this.#types = types
  }

  get warnings(): readonly Warning[] {
    const more = this.#problems - shownProblems
    if (more <= 0) return this.#warnings
    return [...this.#warnings, { code: notErased, message: `${more} more places could not be erased` }]
  }

  erase(section: EraseSection): void {
    const scope = this.#scopeOf(section)
    if (scope === undefined) {
      const message = `module ${section.module} is not loaded: nothing of it is erased`
      this.#warnings.push({ code: 'NO_MODULE', message })
      return
    }
    for (const command of section.commands) {
      if (command.kind === 'erase') {
        this.#attempt(command.line, () => this.#erase(scope, command, new Map()))
        continue
      }
      this.#attempt(command.line, () => {
        for (const place of loopPlaces(scope, command)) {
          const variables = new Map([[command.variable, place]])
          for (const inner of command.body)
            this.#attempt(inner.line, () => this.#erase(scope, inner, variables))
        }
      })
    }
  }

  /** Undefined for a module that is not loaded. */
  #scopeOf(section: EraseSection): EraseScope | undefined {
    const kernel = this.#kernel
    const types = this.#types
    const common = { kernel, section }
    if (section.module === 'vmlinux') {
      return new EraseScope({ ...common, symbols: [this.#symbols], btf: types?.btf })
    }
    if (types === undefined) {
      throw problem(
        this.#file,
        section.line,
        'modules cannot be found: the kernel does not describe its types (BTF)',
      )
    }
    const names = { symbols: this.#symbols, types }
    const module = readModules(kernel, names).find(({ name }) => name === section.module.replaceAll('-', '_'))
    if (module === undefined) return undefined
    const symbols = [readModuleSymbols(kernel, types, module), this.#symbols]
    return new EraseScope({ ...common, symbols, btf: readModuleBtf(kernel, names, module) ?? types.btf })
  }

  /** What the dump is to blame for is a warning; mistakes in the configuration get their line. */
  #attempt(line: number, work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!(error instanceof DumpError)) throw error
      if (error instanceof UsageError) {
        const isPlaced = error.message.startsWith(`${this.#file}, line `)
        throw isPlaced ? error : problem(this.#file, line, error.message, error.hint)
      }
      this.#warn(line, messageOf(error))
    }
  }

  #warn(line: number, what: string): void {
    this.#problems++
    if (this.#problems > shownProblems) return
    this.#warnings.push({ code: notErased, message: `${this.#file}, line ${line}: not erased: ${what}` })
  }

  #erase(scope: EraseScope, command: EraseCommand, variables: ReadonlyMap<string, Place>): void {
    const { expression, amount } = command
    for (const place of scope.places(expression, variables)) {
      const found = this.#extent(scope, command, place, variables)
      if (found === undefined || found.size === 0) continue
      if (found.size > maxErased) throw new KernelError(`${expression} would have ${found.size} bytes`)
      if (this.parts.length === maxParts) throw new KernelError(`more than ${maxParts} places to erase`)
      const { ranges, missing } = this.#physical(found.address, found.size)
      this.parts.push({ expression, nullified: amount.by === 'nullify', ranges })
      if (missing > 0)
        this.#warn(command.line, `${missing} of ${found.size} bytes of ${expression} are not mapped`)
    }
  }

  /** Which bytes; undefined when a pointer is NULL. */
  #extent(
    scope: EraseScope,
    { expression, amount }: EraseCommand,
    place: Place,
    variables: ReadonlyMap<string, Place>,
  ): { readonly address: VirtAddr; readonly size: number } | undefined {
    const outer = place.type && outerLayer(scope.btf, place.type)
    const isPointer = outer?.layer.kind === 'pointer'
    if (amount.by === 'nullify') {
      if (!isPointer && place.type !== undefined)
        throw new UsageError(`${expression} is no pointer: nullify cannot be`)
      return { address: place.address, size: pointerSize }
    }
    const address = isPointer ? scope.memory.u64(place.address) : place.address
    if (address === 0n) return undefined
    const type = isPointer ? outer.inner : place.type
    if (amount.by === 'type') {
      if (type === undefined) throw scope.unknownType(expression)
      const isString = isPointer && isChar(scope, type)
      return {
        address,
        size: isString ? scope.memory.string(address, maxString).length : scope.sizeOf(type, expression),
      }
    }
    const size = amount.by === 'number' ? amount.bytes : scope.integer(amount.expression, variables)
    if (place.type === undefined) this.#checkRoom(expression, address, size)
    return { address, size }
  }

  /** A variable that is a pointer cannot be told from others; but it has only so many bytes. */
  #checkRoom(expression: string, address: VirtAddr, size: number): void {
    const room = this.#symbols.nearest(address)?.size
    if (room === undefined || size <= room) return
    throw new UsageError(`${expression} has ${room} bytes, not ${size}`, {
      hint: `if it is a pointer to what is to be erased, say so: declare void *${expression}`,
    })
  }

  /** Virtual memory is seldom in one piece. */
  #physical(address: VirtAddr, size: number): { readonly ranges: Ranges; readonly missing: number } {
    const { memory, pageSize } = this.#kernel
    const found: Range[] = []
    let missing = 0
    for (let done = 0; done < size; ) {
      const at = address + BigInt(done)
      const inPage = Number(at % BigInt(pageSize))
      const length = Math.min(size - done, pageSize - inPage)
      const start = tryRead(() => memory.translate(at))
      if (start === undefined) missing += length
      else found.push({ start, end: start + length })
      done += length
    }
    return { ranges: makeRanges(found), missing }
  }
}

const isChar = (scope: EraseScope, type: CType): boolean =>
  outerLayer(scope.btf, type) === undefined && baseName(scope.btf, type) === 'char'
