// Bundles src/ into dist/. dist/fadump.cjs is the whole program in one file: the WASM modules and the
// worker's program are inside it, because the packaged executable can load nothing from beside itself.
// dist/wasm/ and dist/worker.cjs are what was put in; tests of the unbundled sources use those.

import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync } from 'node:zlib'
import asc from 'assemblyscript/asc'
import { build } from 'esbuild'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const dist = join(root, 'dist')
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** Builds of src/wasm/index.ts → their features. */
const wasmBuilds = { 'pages-simd': ['simd', 'bulk-memory'], 'pages-plain': ['bulk-memory'] }

async function buildWasm(output, features) {
  const { error, stderr } = await asc.main([
    join(root, 'src/wasm/index.ts'),
    ...['--outFile', join(dist, 'wasm', `${output}.wasm`)],
    ...['-O3', '--noAssert', '--runtime', 'stub'],
    ...features.flatMap((feature) => ['--enable', feature]),
  ])
  if (error) throw new Error(`${output}: ${error.message}\n${stderr}`)
}

function embed(name) {
  return brotliCompressSync(readFileSync(join(dist, 'wasm', `${name}.wasm`))).toString('base64')
}

async function bundle(entry, output, embedded) {
  await build({
    entryPoints: [join(root, entry)],
    outfile: join(dist, output),
    bundle: true,
    platform: 'node',
    // Node 20 lacks what newer targets would emit (Uint8Array.fromBase64, `using`).
    target: 'node20',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    define: {
      FADUMP_VERSION: JSON.stringify(version),
      FADUMP_EMBEDDED: JSON.stringify(embedded),
      'import.meta.dirname': '__dirname',
    },
    logLevel: 'warning',
  })
  return readFileSync(join(dist, output), 'utf8')
}

rmSync(dist, { recursive: true, force: true })
mkdirSync(join(dist, 'wasm'), { recursive: true })

for (const [output, features] of Object.entries(wasmBuilds)) await buildWasm(output, features)
const zstdLibrary = dirname(fileURLToPath(import.meta.resolve('@bokuweb/zstd-wasm')))
copyFileSync(join(zstdLibrary, 'zstd.wasm'), join(dist, 'wasm/zstd.wasm'))

const wasm = Object.fromEntries([...Object.keys(wasmBuilds), 'zstd'].map((name) => [name, embed(name)]))
const worker = await bundle('src/core/filter/worker.ts', 'worker.cjs', { wasm })
await bundle('src/main.ts', 'fadump.cjs', { wasm, worker })
