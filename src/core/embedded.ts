// What the program carries besides its code: WASM modules, the worker's program, bundled files. In the
// bundle (and so in the packaged executable, which can load nothing from beside itself) they are
// inside; unbundled sources, which is what tests run, take them from dist/ that `npm run setup` made.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { getAsset, isSea } from 'node:sea'
import { brotliDecompressSync } from 'node:zlib'

/** Put in by scripts/build.mjs. The worker's own bundle has no `worker`. */
declare const FADUMP_EMBEDDED: { readonly wasm: Record<string, string>; readonly worker?: string } | undefined

const embedded = typeof FADUMP_EMBEDDED === 'undefined' ? undefined : FADUMP_EMBEDDED

/** The checkout or installed package: the bundle is dist/fadump.cjs, this file src/core/embedded.ts. */
const root = join(import.meta.dirname, embedded === undefined ? '../..' : '..')

/** A WASM module of src/wasm by the name of its build: `pages-simd`. */
export function wasmBytes(name: string): Uint8Array {
  if (embedded === undefined) return built(`wasm/${name}.wasm`)
  const text = embedded.wasm[name]
  if (text === undefined) throw new Error(`no WASM module ${name} in the bundle`)
  return brotliDecompressSync(Buffer.from(text, 'base64'))
}

/** The program a worker thread runs, CommonJS text. */
export function workerProgram(): string {
  return embedded?.worker ?? built('worker.cjs').toString()
}

function built(name: string): Buffer {
  const path = join(root, 'dist', name)
  if (!existsSync(path)) throw new Error(`${path} is not there; run: npm run setup`)
  return readFileSync(path)
}

export interface Asset extends Disposable {
  readonly path: string
}

/**
 * A bundled file as a path: the file of demo/ itself, or, from the packaged executable, a copy in a
 * temporary directory made under `scratch`, which goes away when the asset is disposed of.
 */
export function openAsset(name: string, scratch: string): Asset {
  if (!isSea()) return { path: join(root, 'demo', name), [Symbol.dispose]() {} }
  const directory = mkdtempSync(join(scratch, '.asset-'))
  const path = join(directory, name)
  writeFileSync(path, Buffer.from(getAsset(name)))
  return { path, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}
