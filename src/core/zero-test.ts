// Which pages hold only zeros. Pages are read straight into WASM memory and tested there a batch at a
// time (src/wasm/scan.ts); codecs that come as WASM can work on the same memory.

import { wasmBytes } from './embedded.ts'

export type ScanBuild = 'scan-simd' | 'scan-plain'

/** As src/wasm/scan.ts has it: `pages` and `flags` are addresses in the memory. */
type Scan = (pages: number, pageSize: number, count: number, flags: number) => number

export class PageMemory {
  /** Where pages are read to. */
  readonly pages: Uint8Array<ArrayBuffer>
  readonly #flags: Uint8Array
  readonly #scan: Scan

  /** Room for `capacity` bytes of pages, of at least 4 KiB each. */
  constructor(capacity: number, build: ScanBuild = bestScanBuild()) {
    const flagBytes = Math.ceil(capacity / 4096)
    const memory = new WebAssembly.Memory({ initial: Math.ceil((capacity + flagBytes) / 65536) })
    this.pages = new Uint8Array(memory.buffer, 0, capacity)
    this.#flags = new Uint8Array(memory.buffer, capacity, flagBytes)
    const module = new WebAssembly.Module(wasmBytes(build))
    const { findZeroPages } = new WebAssembly.Instance(module, { env: { memory } }).exports
    this.#scan = findZeroPages as Scan
  }

  /**
   * Which of the first `count` pages of `pageSize` bytes are all zero: 1 or 0 a page. The answer is
   * good until the next call.
   */
  findZeroPages(pageSize: number, count: number): Uint8Array {
    if (count * pageSize > this.pages.length) throw new RangeError(`no room for ${count} pages`)
    this.#scan(this.pages.byteOffset, pageSize, count, this.#flags.byteOffset)
    return this.#flags.subarray(0, count)
  }
}

/** The SIMD build where the machine's WASM engine takes it. */
function bestScanBuild(): ScanBuild {
  return WebAssembly.validate(wasmBytes('scan-simd')) ? 'scan-simd' : 'scan-plain'
}
