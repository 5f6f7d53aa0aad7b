// libzstd itself, compiled to WebAssembly by the package @bokuweb/zstd-wasm. The package's own functions
// allocate and copy for every page, so its module is used without them: one context, one place for pages.

import { wasmBytes } from '../embedded.ts'
import type { Compressor } from './codec.ts'

/** zstd_errors.h: what was packed does not fit. */
const doesNotFit = -70

/** Largest page of any machine, bytes. */
const mostPage = 65536

/** @throws {RangeError} when libzstd would quietly take another level. */
export function libraryCompressor(level: number, levels: { least: number; most: number }): Compressor {
  if (!Number.isInteger(level) || level < levels.least || level > levels.most) {
    throw new RangeError(`zstd: level ${level} is not one of ${levels.least} to ${levels.most}`)
  }
  const library = startLibrary()
  const context = library.createContext()
  const from = library.allocate(mostPage)
  const to = library.allocate(mostPage)
  return (page, output) => {
    // A new view each time: the memory may have grown.
    new Uint8Array(library.memory.buffer).set(page, from)
    const size = library.pack(context, to, page.length - 1, from, page.length, 0, 0, level)
    if (size === doesNotFit) return 0
    if (size <= 0) throw new Error(`zstd: a page cannot be packed, error ${-size} of zstd_errors.h`)
    output.set(new Uint8Array(library.memory.buffer, to, size))
    return size
  }
}

interface Library {
  readonly memory: WebAssembly.Memory
  allocate(bytes: number): number
  /** ZSTD_createCCtx */
  createContext(): number
  /** ZSTD_compress_usingDict; a negative size is an error. The content size is in the frame, a checksum is not. */
  pack(
    context: number,
    to: number,
    room: number,
    from: number,
    length: number,
    dictionary: 0,
    dictionarySize: 0,
    level: number,
  ): number
}

/** The names of imports and exports are those of version 0.0.27 (zstd.js), where they are shortened. */
function startLibrary(): Library {
  const never = (): never => {
    throw new Error('zstd: the library gave up')
  }
  const grow = (bytes: number): number => {
    memory.grow(Math.ceil(((bytes >>> 0) - memory.buffer.byteLength) / 65536))
    return 1
  }
  const module = new WebAssembly.Module(wasmBytes('zstd'))
  const imports = { a: never, b: never, c: never, d: never, e: grow }
  const { exports } = new WebAssembly.Instance(module, { a: imports })
  const { f, g, j, l, s } = exports as {
    f: WebAssembly.Memory
    g(): void
    j: Library['createContext']
    l: Library['pack']
    s: Library['allocate']
  }
  const memory = f
  g()
  return { memory, allocate: s, createContext: j, pack: l }
}
