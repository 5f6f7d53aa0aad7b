// fadump demo: the whole main job on the bundled machine. Each step is a command line that a user
// would type, given to the same command.

import { readdirSync } from 'node:fs'
import { relative } from 'node:path'
import { Command } from 'commander'
import { openAsset } from '../core/embedded.ts'
import { makeDirectory } from '../core/output-file.ts'
import type { Ui } from '../ui/output.ts'
import {
  type DemoOptions,
  type DemoStep,
  demoMachine,
  demoSteps,
  renderCommandLine,
  shortenLog,
} from './demo-steps.ts'
import { commandList } from './index.ts'
import { forceOption } from './options.ts'

/** Lines of the kernel log that the report at the end shows. */
const logLines = 20

export function demoCommand(ui: Ui): Command {
  return new Command('demo')
    .description(
      'Takes the memory of a real machine (Linux 7.2 on ppc64le, bundled) from registration over a crash to the ' +
        'report, and shows every command line and its result.',
    )
    .argument('[directory]', 'where the files go', 'demo-out')
    .addOption(forceOption())
    .action(async (directory: string, options: DemoOptions) => {
      makeDirectory(directory)
      using machine = openAsset(demoMachine, directory)
      const steps = demoSteps(directory, relative('', machine.path), options)
      const results: unknown[] = []
      for (const [i, step] of steps.entries()) {
        if (!ui.isJson) ui.print(ui.style.bold(`${i + 1}. ${step.title}\n${renderCommandLine(step)}`))
        const output = await runStep(ui, step)
        if (ui.isJson) results.push({ args: step.args, result: JSON.parse(output) })
        else ui.print(shortenLog(output, logLines))
      }
      const files = readdirSync(directory).filter((name) => !name.startsWith('.'))
      ui.result(
        { directory, files, steps: results },
        () => `All files are in ${directory}: ${files.join(', ')}`,
      )
    })
}

/** What the command prints. @throws {DumpError} */
async function runStep(ui: Ui, { args }: DemoStep): Promise<string> {
  const [name, ...rest] = args
  const entry = commandList.find((candidate) => candidate.name === name)
  if (entry === undefined) throw new Error(`no command ${name}`)
  const captured = ui.capture({ quiet: true })
  const command = (await entry.load())(captured.ui).exitOverride()
  await command.parseAsync(rest, { from: 'user' })
  return captured.output()
}
