// Where the bytes of an address space are in a file: sorted, disjoint extents. Kept as numbers in one
// array, not as objects, because a file may have millions and a reader looks one up for every page.

const fields = 3

/** A list of extents to be laid over each other. */
export class ExtentList {
  #numbers = new Float64Array(16 * fields)
  #used = 0

  get length(): number {
    return this.#used / fields
  }

  /**
   * Addresses [start, end) are stored from `offset` of the file on. A negative offset means that they
   * are not stored; the value says why and belongs to the caller. Empty extents are ignored.
   */
  push(start: number, end: number, offset: number): void {
    if (end <= start) return
    if (this.#used === this.#numbers.length) {
      const grown = new Float64Array(2 * this.#used)
      grown.set(this.#numbers)
      this.#numbers = grown
    }
    this.#numbers[this.#used++] = start
    this.#numbers[this.#used++] = end
    this.#numbers[this.#used++] = offset
  }

  /**
   * What is to be seen, O(n log n) also for lists made to be slow.
   * @param winner which of two that overlap is on top
   */
  overlay(winner: 'earlier' | 'later' = 'earlier'): ExtentMap {
    let layers = sortedRuns(this.#numbers.subarray(0, this.#used))
    while (layers.length > 1) {
      layers = Array.from({ length: Math.ceil(layers.length / 2) }, (_, i) => {
        const earlier = layers[2 * i] as Float64Array
        const later = layers[2 * i + 1]
        if (later === undefined) return earlier
        return winner === 'earlier' ? merge(earlier, later) : merge(later, earlier)
      })
    }
    return new ExtentMap(layers[0] ?? new Float64Array(0))
  }
}

export class ExtentMap {
  readonly length: number
  readonly #numbers: Float64Array
  #last = 0

  /** @param numbers start, end, offset of each extent; sorted, disjoint. */
  constructor(numbers: Float64Array) {
    this.#numbers = numbers
    this.length = numbers.length / fields
  }

  start(index: number): number {
    return this.#numbers[index * fields] as number
  }

  /** First address after the extent. */
  end(index: number): number {
    return this.#numbers[index * fields + 1] as number
  }

  /** Where the byte at `start` is in the file, or the negative number it was given. */
  offset(index: number): number {
    return this.#numbers[index * fields + 2] as number
  }

  /** Index of the first extent that ends after `address`, `length` when there is none. */
  find(address: number): number {
    const last = this.#last
    if (last < this.length && address >= this.start(last) && address < this.end(last)) return last
    let low = 0
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.end(middle) <= address) low = middle + 1
      else high = middle
    }
    this.#last = low
    return low
  }
}

/** Cut a list where an extent does not follow its predecessor; most files give one run or two. */
function sortedRuns(numbers: Float64Array): Float64Array[] {
  const runs: Float64Array[] = []
  let from = 0
  for (let i = fields; i < numbers.length; i += fields) {
    if ((numbers[i] as number) >= (numbers[i - 2] as number)) continue
    runs.push(numbers.subarray(from, i))
    from = i
  }
  if (from < numbers.length) runs.push(numbers.subarray(from))
  return runs
}

/** Both sorted and disjoint in themselves; where they overlap, `top` is kept. */
function merge(top: Float64Array, bottom: Float64Array): Float64Array {
  // Each extent of `top` can cut one of `bottom` in two.
  const merged = new Float64Array(2 * top.length + bottom.length)
  let used = 0
  const put = (start: number, end: number, offset: number) => {
    merged[used++] = start
    merged[used++] = end
    merged[used++] = offset
  }
  let t = 0
  const putTop = () => {
    put(top[t] as number, top[t + 1] as number, top[t + 2] as number)
    t += fields
  }
  for (let b = 0; b < bottom.length; b += fields) {
    const first = bottom[b] as number
    const end = bottom[b + 1] as number
    const offset = bottom[b + 2] as number
    const offsetAt = (address: number) => (offset < 0 ? offset : offset + (address - first))
    let start = first
    while (t < top.length && (top[t] as number) < end) {
      const cover = top[t] as number
      const coverEnd = top[t + 1] as number
      if (cover > start) put(start, cover, offsetAt(start))
      start = Math.max(start, coverEnd)
      // It may reach over the next extent of `bottom` too.
      if (coverEnd > end) break
      putTop()
    }
    if (start < end) put(start, end, offsetAt(start))
  }
  while (t < top.length) putTop()
  return merged.slice(0, used)
}
