// Imports point one way: bin → cli → commands → core/{analyze,…} → core/kernel → formats →
// core/{arch,memory} → core/*.ts. The areas of one rank do not know each other.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const src = resolve(import.meta.dirname, '../src')

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.startsWith('wasm/'))
  .sort()

/** Area of a file, by its path under src. */
function area(file: string): string {
  const core = /^core\/([a-z]+)\//.exec(file)
  if (core !== null) return `core/${core[1]}`
  if (file.startsWith('core/')) return 'core'
  return file.includes('/') ? (file.split('/')[0] as string) : 'cli'
}

const peers = ['core/analyze', 'core/filter', 'core/save', 'core/capture', 'core/firmware', 'core/machine']

/** What each area may import besides itself. */
const allowed: Record<string, readonly string[]> = {
  core: [],
  'core/codecs': ['core'],
  'core/arch': ['core', 'core/memory'],
  'core/memory': ['core'],
  formats: ['core', 'core/arch', 'core/memory', 'core/codecs'],
  'core/kernel': ['core', 'core/arch', 'core/memory', 'formats'],
  ...Object.fromEntries(
    peers.map((peer) => [
      peer,
      ['core', 'core/arch', 'core/memory', 'core/codecs', 'core/kernel', 'formats'],
    ]),
  ),
  ui: ['core'],
}
allowed['core/firmware'] = [...(allowed['core/firmware'] ?? []), 'core/machine']
allowed['core/capture'] = [...(allowed['core/capture'] ?? []), 'core/firmware', 'core/machine']
allowed.commands = [...peers, ...(allowed['core/machine'] ?? []), 'ui', 'core/codecs']
allowed.cli = ['commands', 'ui', 'core']

describe('imports', () => {
  it.each(files)('%s imports only areas to its right', (file) => {
    const text = readFileSync(join(src, file), 'utf8')
    const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((m) => m[1] as string)
    for (const specifier of specifiers) {
      const target = relative(src, resolve(src, dirname(file), specifier))
      const from = area(file)
      const to = area(target)
      if (from === to) continue
      expect(allowed[from] ?? [], `${file} imports ${target}`).toContain(to)
    }
  })
})
