// Makes a fresh clone ready: installs what package-lock.json names when it is not there yet, and
// builds dist/ when a source is newer. Needs only Node and npm.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`error: fadump needs Node 20.19 or newer, this is ${process.versions.node}`)
  process.exit(2)
}

const newest = (path) => {
  if (!existsSync(path)) return 0
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))))
}

const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', process.stderr.fd, 'inherit'] })
  if (status !== 0) process.exit(status ?? 1)
}

const installed = join(root, 'node_modules/.package-lock.json')
// Not `npm ci`: it refuses a lock file that lacks optional packages of platforms whose packages the
// registry it was made from does not carry. Every version is pinned, and --no-save leaves the lock alone.
if (newest(installed) < newest(join(root, 'package-lock.json'))) run('npm', ['install', '--no-save'])

const built = newest(join(root, 'dist/fadump.cjs'))
const sources = ['src', 'scripts', 'package.json'].map((name) => newest(join(root, name)))
if (built < Math.max(...sources)) run(process.execPath, [join(root, 'scripts/build.mjs')])
