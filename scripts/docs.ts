// `npm run docs`: brings man/*.8 and the struct tables in docs/*.md up to date. Both are committed;
// test/scripts/docs.test.ts fails when they are not what this makes.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manPages } from './docs/man-pages.ts'
import { fillTables } from './docs/struct-tables.ts'

// The build defines the version; no page shows it.
Object.assign(globalThis, { FADUMP_VERSION: '' })

const root = join(import.meta.dirname, '..')

const pages = await manPages()
for (const name of readdirSync(join(root, 'man'))) rmSync(join(root, 'man', name))
for (const [name, text] of pages) writeFileSync(join(root, 'man', name), text)

for (const name of readdirSync(join(root, 'docs')).filter((file) => file.endsWith('.md'))) {
  const path = join(root, 'docs', name)
  writeFileSync(path, fillTables(readFileSync(path, 'utf8')))
}
