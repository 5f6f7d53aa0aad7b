// Pages in WASM memory, a batch at a time: read straight into it, then tested for zeros and packed there
// by src/wasm.

import { wasmBytes } from './embedded.ts'

export type WasmBuild = 'pages-simd' | 'pages-plain'

/** As src/wasm/index.ts has it; everything is a number: addresses in the memory, lengths, flags. */
interface PagesModule {
  readonly memory: WebAssembly.Memory
  heapStart(): number
  canPack(flag: number): number
  findZeroPages(pages: number, pageSize: number, count: number, flags: number): number
  packPages(
    flag: number,
    pages: number,
    pageSize: number,
    count: number,
    shareZeroPages: number,
    output: number,
    sizes: number,
  ): number
}

/** A page that takes no bytes: it is zero and such pages share theirs, or it could not be read. */
export const pageFate = { zero: -1, lost: -2 } as const

/** Smallest page of any machine, bytes. */
const leastPage = 4096

/** What an encoder may write behind the pages (src/wasm/pack.ts), for pages of up to 64 KiB. */
const encoderSlack = 64 * 1024

export class PageBatch {
  /** Where pages are read to. */
  readonly pages: Uint8Array<ArrayBuffer>
  readonly #module: PagesModule
  readonly #output: Uint8Array
  readonly #flags: Uint8Array
  readonly #sizes: Int32Array

  /** Room for `capacity` bytes of pages, of at least 4 KiB each. */
  constructor(capacity: number, build: WasmBuild = bestBuild()) {
    const instance = new WebAssembly.Instance(new WebAssembly.Module(wasmBytes(build)), {})
    this.#module = instance.exports as unknown as PagesModule
    const { memory } = this.#module
    const most = Math.ceil(capacity / leastPage)
    const lengths = [capacity, capacity + encoderSlack, most, 4 * most]
    const starts: number[] = []
    let end = this.#module.heapStart()
    for (const length of lengths) {
      const start = Math.ceil(end / 16) * 16
      starts.push(start)
      end = start + length
    }
    const missing = end - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / 65536))
    const [pages, output, flags, sizes] = starts as [number, number, number, number]
    this.pages = new Uint8Array(memory.buffer, pages, capacity)
    this.#output = new Uint8Array(memory.buffer, output, capacity + encoderSlack)
    this.#flags = new Uint8Array(memory.buffer, flags, most)
    this.#sizes = new Int32Array(memory.buffer, sizes, most)
  }

  /**
   * Which of the first `count` pages of `pageSize` bytes are all zero: 1 or 0 a page. The answer is
   * good until the next call.
   */
  findZeroPages(pageSize: number, count: number): Uint8Array {
    this.#checkRoom(pageSize, count)
    this.#module.findZeroPages(this.pages.byteOffset, pageSize, count, this.#flags.byteOffset)
    return this.#flags.subarray(0, count)
  }

  /** Whether pack() knows this codec; 0, pages as they are, it always knows. */
  canPack(flag: number): boolean {
    return this.#module.canPack(flag) !== 0
  }

  /**
   * Pack the first pages by the codec of this flag. `sizes` has one number a page: pageFate.lost for
   * pages to leave out, else 0; afterwards the bytes each takes (the page size when packing is no gain),
   * or pageFate.zero. Returns the packed pages one behind the other, good until the next call.
   */
  pack(flag: number, pageSize: number, sizes: Int32Array, shareZeroPages: boolean): Uint8Array {
    const count = sizes.length
    this.#checkRoom(pageSize, count)
    this.#sizes.set(sizes)
    const used = this.#module.packPages(
      flag,
      this.pages.byteOffset,
      pageSize,
      count,
      shareZeroPages ? 1 : 0,
      this.#output.byteOffset,
      this.#sizes.byteOffset,
    )
    sizes.set(this.#sizes.subarray(0, count))
    return this.#output.subarray(0, used)
  }

  #checkRoom(pageSize: number, count: number): void {
    if (count * pageSize > this.pages.length) throw new RangeError(`no room for ${count} pages`)
  }
}

/** The SIMD build where the machine's WASM engine takes it. */
function bestBuild(): WasmBuild {
  return WebAssembly.validate(wasmBytes('pages-simd')) ? 'pages-simd' : 'pages-plain'
}
