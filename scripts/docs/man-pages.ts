// All manual pages of the program as it is.

import type { Command } from 'commander'
import { makeProgram } from '../../src/cli.ts'
import { Ui } from '../../src/ui/output.ts'
import { renderCommandPage, renderIndexPage } from './man-page.ts'
import { commandProse, indexProse } from './man-prose.ts'

/** The program with all its commands loaded. */
export async function loadProgram(): Promise<Command> {
  const ui = new Ui({ out: process.stdout, err: process.stderr, env: {} })
  return await makeProgram(ui, () => true)
}

/** File name → text. @throws {Error} when a command has no prose. */
export async function manPages(): Promise<ReadonlyMap<string, string>> {
  const program = await loadProgram()
  const commands = program.commands.filter((command) => command.name() !== 'help')
  const pages = new Map([['fadump.8', renderIndexPage(program, commands, indexProse)]])
  for (const command of commands) {
    const prose = commandProse[command.name()]
    if (prose === undefined) throw new Error(`scripts/docs/man-prose.ts says nothing about ${command.name()}`)
    pages.set(`fadump-${command.name()}.8`, renderCommandPage(command, prose))
  }
  return pages
}
