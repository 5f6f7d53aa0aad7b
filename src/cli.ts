// Builds the program from the command list and turns whatever happens into text and an exit code.
// Nothing else sets process.exitCode.

import { Command, CommanderError } from 'commander'
import { type CommandEntry, commandList } from './commands/index.ts'
import { DumpError, type ExitCode, exitCodes, InterruptedError } from './core/errors.ts'
import { renderBug, renderError } from './ui/error-text.ts'
import { type GlobalOptions, Ui } from './ui/output.ts'

declare const FADUMP_VERSION: string

/** Options every command takes. */
export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress and no remarks on standard error')
    .option('-v, --verbose', 'say more')
    .option('--no-color', 'no colours (NO_COLOR works too)')
}

/** The whole program; commands that are not in `wanted` are known by name and summary only. */
export async function makeProgram(ui: Ui, wanted: (entry: CommandEntry) => boolean): Promise<Command> {
  const program = new Command('fadump')
    .description('Firmware-assisted kernel crash dumps: register, crash, capture, filter, save, analyze.')
    .version(FADUMP_VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError()
    .exitOverride()
  for (const entry of commandList) {
    const command = wanted(entry)
      ? addCommonOptions((await entry.load())(ui)).summary(entry.summary)
      : new Command(entry.name).summary(entry.summary)
    program.addCommand(
      command.helpOption('-h, --help', 'show help').copyInheritedSettings(program).exitOverride(),
    )
  }
  program.hook('preAction', (_, action) => ui.configure(action.optsWithGlobals<GlobalOptions>()))
  return program
}

/** Runs one command line; returns the exit code. */
export async function run(args: readonly string[], ui: Ui): Promise<ExitCode> {
  try {
    const program = await makeProgram(ui, (entry) => args.includes(entry.name))
    await program.parseAsync([...args], { from: 'user' })
    if (ui.signal.aborted) return exitCodes.interrupted
    return ui.isIncomplete ? exitCodes.incomplete : exitCodes.done
  } catch (error) {
    if (error instanceof CommanderError) {
      // commander has printed help or the complaint already
      return error.exitCode === 0 || error.code === 'commander.help' ? exitCodes.done : exitCodes.usage
    }
    if (error instanceof DumpError) {
      if (!(error instanceof InterruptedError)) ui.error(renderError(error))
      return error.exitCode
    }
    ui.error(renderBug(error))
    return exitCodes.bug
  }
}

/** The entry point of the executable. */
export async function main(): Promise<void> {
  const ui = new Ui({ out: process.stdout, err: process.stderr, env: process.env })
  const onSignal = (): void => ui.interrupt()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  // The reader of our output went away (`| head`): nothing left to say.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? exitCodes.done : exitCodes.target)
  })
  process.exitCode = await run(process.argv.slice(2), ui)
}
