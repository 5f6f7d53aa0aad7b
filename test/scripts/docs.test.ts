import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { visibleOptions } from '../../scripts/docs/man-page.ts'
import { loadProgram, manPages } from '../../scripts/docs/man-pages.ts'
import { fillTables } from '../../scripts/docs/struct-tables.ts'

const root = join(import.meta.dirname, '../..')
const pages = await manPages()
const program = await loadProgram()

describe('the manual', () => {
  it('has exactly the pages that are committed', () => {
    expect(readdirSync(join(root, 'man')).sort()).toEqual([...pages.keys()].sort())
  })

  it.each([...pages.keys()])('%s is up to date (npm run docs)', (name) => {
    expect(readFileSync(join(root, 'man', name), 'utf8')).toBe(pages.get(name))
  })

  it('has a line for every option', () => {
    const bare = [program, ...program.commands].flatMap((command) =>
      visibleOptions(command)
        .filter((option) => option.description.trim() === '')
        .map((option) => `${command.name()} ${option.flags}`),
    )
    expect(bare).toEqual([])
  })
})

describe('the tables in docs/', () => {
  const documents = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))

  it.each(documents)('%s is up to date (npm run docs)', (name) => {
    const text = readFileSync(join(root, 'docs', name), 'utf8')
    expect(text).toBe(fillTables(text))
  })
})
