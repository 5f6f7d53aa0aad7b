// `npm run man`: writes man/*.8. The pages are committed; test/scripts/man.test.ts fails when they are
// not what this makes.

import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manPages } from './man/pages.ts'

// The build defines the version; no page shows it.
Object.assign(globalThis, { FADUMP_VERSION: '' })

const folder = join(import.meta.dirname, '../man')
for (const name of readdirSync(folder)) rmSync(join(folder, name))
for (const [name, text] of await manPages()) writeFileSync(join(folder, name), text)
