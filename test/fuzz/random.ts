// Numbers that look random and come again from the same seed: a case is found again by its number.

export class Random {
  #state: number

  /** @param stream cases of one seed, each with numbers of its own */
  constructor(seed: number, stream: number) {
    this.#state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(stream + 1, 0xc2b2ae35)
    for (let i = 0; i < 4; i++) this.#next()
  }

  /** 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor((this.#next() / 2 ** 32) * end)
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** True once in `n` times on average. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  big64(): bigint {
    return (BigInt(this.#next()) << 32n) | BigInt(this.#next())
  }

  /** mulberry32 by Tommy Ettinger, public domain. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return (bits ^ (bits >>> 14)) >>> 0
  }
}
