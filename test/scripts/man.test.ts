import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { visibleOptions } from '../../scripts/man/page.ts'
import { loadProgram, manPages } from '../../scripts/man/pages.ts'

const folder = join(import.meta.dirname, '../../man')
const pages = await manPages()
const program = await loadProgram()

describe('the manual', () => {
  it('has exactly the pages that are committed', () => {
    expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort())
  })

  it.each([...pages.keys()])('%s is up to date (npm run man)', (name) => {
    expect(readFileSync(join(folder, name), 'utf8')).toBe(pages.get(name))
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
