// Finds items by name among hundreds of thousands without a string for each: names stay NUL-terminated
// bytes in a pool, as kernels and BTF keep them, and a hash table of numbers leads to them.

/** Longer names are not found; Linux allows 512 bytes (KSYM_NAME_LEN). A forged pool may be one string. */
export const maxNameSize = 1024

const fnvOffset = 0x811c9dc5
const fnvPrime = 0x01000193

export class NameIndex {
  /** Number of items. */
  readonly length: number
  readonly #pool: Uint8Array
  readonly #starts: Uint32Array
  /** Item + 1 that is first in a bucket, and the one after each item; 0 ends. */
  readonly #first: Uint32Array
  readonly #next: Uint32Array

  /** @param starts where each item's name starts in the pool; items whose name is empty are not found. */
  constructor(pool: Uint8Array, starts: Uint32Array) {
    this.length = starts.length
    this.#pool = pool
    this.#starts = starts
    this.#first = new Uint32Array(2 ** Math.max(4, Math.ceil(Math.log2(starts.length + 1))))
    this.#next = new Uint32Array(starts.length)
    // From behind, so that a bucket lists its items in their order.
    for (let item = starts.length - 1; item >= 0; item--) {
      const start = starts[item] as number
      if ((pool[start] ?? 0) === 0) continue
      const bucket = this.#bucket(pool, start)
      this.#next[item] = this.#first[bucket] as number
      this.#first[bucket] = item + 1
    }
  }

  /** Every item of that name, in order. */
  find(name: string): number[] {
    const wanted = Buffer.from(`${name}\0`, 'latin1')
    const found: number[] = []
    let item = this.#first[this.#bucket(wanted, 0)] as number
    for (; item > 0; item = this.#next[item - 1] as number) {
      if (this.#hasName(item - 1, wanted)) found.push(item - 1)
    }
    return found
  }

  /** Bytes as Latin-1, so that nothing is lost; what is too long is cut. */
  name(item: number): string {
    return readName(this.#pool, this.#starts[item] as number)
  }

  #hasName(item: number, wanted: Uint8Array): boolean {
    const start = this.#starts[item] as number
    for (let i = 0; i < wanted.length; i++) if ((this.#pool[start + i] ?? 0) !== wanted[i]) return false
    return true
  }

  #bucket(bytes: Uint8Array, start: number): number {
    const end = Math.min(bytes.length, start + maxNameSize)
    let hash = fnvOffset
    for (let at = start; at < end; at++) {
      const byte = bytes[at] as number
      if (byte === 0) break
      hash = Math.imul(hash ^ byte, fnvPrime)
    }
    return (hash >>> 0) & (this.#first.length - 1)
  }
}

/** The NUL-terminated name at `start` of a pool; as NameIndex.name. */
export function readName(pool: Uint8Array, start: number): string {
  const bytes = pool.subarray(start, start + maxNameSize)
  const end = bytes.indexOf(0)
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? bytes.length : end).toString('latin1')
}
