// Makes build/fadump: the program, its worker, WASM and the demo's machine in one executable, which is
// a copy of this Node with dist/fadump.cjs in it (a single executable application, by @yao-pkg/pkg).

import { chmodSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const build = join(root, 'build')
const output = join(build, 'fadump')
const { default: sea } = createRequire(import.meta.url)('@yao-pkg/pkg/lib-es5/sea.js')

const machines = readdirSync(join(root, 'demo')).filter((name) => name.endsWith('.kdump'))

rmSync(build, { recursive: true, force: true })
mkdirSync(join(build, 'tmp'), { recursive: true })
// pkg runs `node` and `npx postject` in a temporary directory: the same Node as this one, and a place
// below the project, or npx would not find the postject that is installed here.
process.env.PATH = dirname(process.execPath) + delimiter + process.env.PATH
process.env.TMPDIR = join(build, 'tmp')

await sea(join(root, 'dist/fadump.cjs'), {
  targets: [
    {
      nodeRange: `node${process.versions.node.split('.')[0]}`,
      platform: process.platform,
      arch: process.arch,
      output,
    },
  ],
  useLocalNode: true,
  signature: false,
  seaConfig: {
    useCodeCache: true,
    assets: Object.fromEntries(machines.map((name) => [name, join(root, 'demo', name)])),
  },
})
rmSync(join(build, 'tmp'), { recursive: true })

// pkg ignores a failed injection; what is left is then a bare copy of node.
if (statSync(output).size <= statSync(process.execPath).size) {
  rmSync(output)
  throw new Error('nothing was put into the executable; run: npx postject --help')
}
chmodSync(output, 0o755)
console.log(`build/fadump: ${(statSync(output).size / 2 ** 20).toFixed(0)} MiB`)
