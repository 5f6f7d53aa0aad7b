// A stretch of kernel memory of which parts may be missing: read piece by piece, as it is asked for,
// so that a length found in a dump never decides how much is allocated.

import type { VirtAddr } from '../address.ts'
import { FaultError } from '../errors.ts'
import type { VirtualMemory } from './virtual.ts'

/** What is read, kept and missed at once; no page is smaller. */
const unitSize = 4096

export class Stretch {
  /** Bytes. */
  readonly size: number
  readonly #memory: VirtualMemory
  /** Start of the unit that holds the first byte, and how far into it that byte stands. */
  readonly #base: VirtAddr
  readonly #skew: number
  #current: { readonly unit: number; readonly bytes: Uint8Array | undefined } | undefined
  readonly #missing = new Set<number>()
  #firstFault: FaultError | undefined

  constructor(memory: VirtualMemory, start: VirtAddr, size: number) {
    this.#memory = memory
    this.#skew = Number(start % BigInt(unitSize))
    this.#base = start - BigInt(this.#skew)
    this.size = size
  }

  /** `length` bytes from `offset`; undefined when they are outside the stretch or not all in the dump. */
  bytes(offset: number, length: number): Uint8Array | undefined {
    if (offset < 0 || length < 0 || !(offset + length <= this.size)) return undefined
    const from = this.#skew + offset
    const inUnit = from % unitSize
    if (inUnit + length <= unitSize) {
      return this.#unit((from - inUnit) / unitSize)?.subarray(inUnit, inUnit + length)
    }
    const into = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const at = (from + done) % unitSize
      const part = this.#unit((from + done - at) / unitSize)?.subarray(at, at + length - done)
      if (part === undefined) return undefined
      into.set(part, done)
      done += part.length
    }
    return into
  }

  /** As `bytes`, to read numbers from. */
  view(offset: number, length: number): DataView | undefined {
    const bytes = this.bytes(offset, length)
    return bytes && new DataView(bytes.buffer, bytes.byteOffset, length)
  }

  /** Why something was missing so far: how many bytes and the first fault; undefined when nothing was. */
  get gap(): string | undefined {
    if (this.#firstFault === undefined) return undefined
    return `${this.#missing.size * unitSize} bytes not to be had, first: ${this.#firstFault.message}`
  }

  #unit(unit: number): Uint8Array | undefined {
    if (this.#current?.unit !== unit) this.#current = { unit, bytes: this.#load(unit) }
    return this.#current.bytes
  }

  #load(unit: number): Uint8Array | undefined {
    if (this.#missing.has(unit)) return undefined
    try {
      return this.#memory.bytes(this.#base + BigInt(unit * unitSize), unitSize)
    } catch (error) {
      if (!(error instanceof FaultError)) throw error
      this.#missing.add(unit)
      this.#firstFault ??= error
      return undefined
    }
  }
}
