// The pages used last, unpacked, in bounded memory. Walking kernel structures reads eight bytes here
// and eight there; without it each would be a system call or the decompression of a page.

export interface PageCache {
  /**
   * The bytes of a page, loaded when they are not kept. Valid until the next call: buffers are reused.
   * What `load` throws comes through, and nothing is kept of that page.
   */
  get(page: number): Uint8Array
}

export interface PageCacheOptions {
  readonly pageSize: number
  /** At most this many bytes of pages are kept, but always one page. */
  readonly limit: number
  /** Fill `into`, which holds another page's bytes. */
  readonly load: (page: number, into: Uint8Array) => void
}

export function makePageCache({ pageSize, limit, load }: PageCacheOptions): PageCache {
  const capacity = Math.max(1, Math.floor(limit / pageSize))
  // A Map iterates in the order of insertion: the first is the one not used for longest.
  const kept = new Map<number, Uint8Array>()
  let spare: Uint8Array | undefined
  let lastPage = -1
  let last: Uint8Array = new Uint8Array(0)

  function makeRoom(): Uint8Array {
    if (spare !== undefined) return spare
    const oldest = kept.size < capacity ? undefined : kept.entries().next().value
    if (oldest === undefined) return new Uint8Array(pageSize)
    kept.delete(oldest[0])
    return oldest[1]
  }

  return {
    get(page) {
      if (page === lastPage) return last
      let bytes = kept.get(page)
      if (bytes === undefined) {
        lastPage = -1
        spare = makeRoom()
        load(page, spare)
        bytes = spare
        spare = undefined
      } else {
        kept.delete(page)
      }
      kept.set(page, bytes)
      lastPage = page
      last = bytes
      return bytes
    },
  }
}
