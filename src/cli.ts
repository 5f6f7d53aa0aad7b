// Builds the program from the command list and turns whatever happens into text and an exit code.
// Nothing else sets process.exitCode.

import { Command, CommanderError } from 'commander'
import { type CommandEntry, commandList } from './commands/index.ts'
import {
  DumpError,
  type ExitCode,
  exitCodes,
  InterruptedError,
  streamFailure,
  UsageError,
} from './core/errors.ts'
import { renderBug, renderError, renderErrorJson } from './ui/error-text.ts'
import { type GlobalOptions, Ui } from './ui/output.ts'

declare const FADUMP_VERSION: string

/** Options every command takes, after its name or before it. */
function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON, errors too')
    .option('-q, --quiet', 'no progress and no remarks on standard error')
    .option('-v, --verbose', 'say also what lay behind an error')
    .option('--no-color', 'no colours (NO_COLOR works too)')
}

/** The whole program; commands that are not `wanted` are known by name and summary only. */
export async function makeProgram(ui: Ui, wanted: (entry: CommandEntry) => boolean): Promise<Command> {
  const program = addCommonOptions(new Command('fadump'))
    .description('Firmware-assisted kernel crash dumps: register, crash, capture, filter, save, analyze.')
    .usage('COMMAND [options]')
    .version(FADUMP_VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .configureOutput({
      writeOut: (text) => ui.print(text.trimEnd()),
      // Complaints come as a CommanderError and are shown as all errors are.
      writeErr: () => {},
    })
    .exitOverride()
  for (const entry of commandList) {
    const command = wanted(entry)
      ? addCommonOptions((await entry.load())(ui)).summary(entry.summary)
      : new Command(entry.name).summary(entry.summary)
    program.addCommand(command.helpOption('-h, --help', 'show help').copyInheritedSettings(program))
  }
  program.hook('preAction', (_, action) => {
    const [before, after] = [program.opts<GlobalOptions>(), action.opts<GlobalOptions>()]
    ui.configure({ ...before, ...after, color: before.color !== false && after.color !== false })
  })
  return program
}

/** Runs one command line; returns the exit code. */
export async function run(args: readonly string[], ui: Ui): Promise<ExitCode> {
  try {
    const program = await makeProgram(ui, (entry) => args.includes(entry.name))
    if (args.length === 0) program.outputHelp()
    else await program.parseAsync([...args], { from: 'user' })
    if (ui.signal.aborted) return exitCodes.interrupted
    return ui.isIncomplete ? exitCodes.incomplete : exitCodes.done
  } catch (thrown) {
    const error = thrown instanceof CommanderError ? usageError(thrown, args) : thrown
    if (error === undefined) return exitCodes.done
    if (!(error instanceof DumpError)) {
      ui.error(renderBug(error))
      return exitCodes.bug
    }
    if (!(error instanceof InterruptedError)) tellError(ui, args, error)
    return error.exitCode
  }
}

function tellError(ui: Ui, args: readonly string[], error: DumpError): void {
  ui.error(
    args.includes('--json') ? renderErrorJson(error) : renderError(error, { withCauses: ui.isVerbose }),
  )
}

/** What commander complains about; undefined when it only showed help or the version. */
function usageError(error: CommanderError, args: readonly string[]): UsageError | undefined {
  if (error.exitCode === 0) return undefined
  if (error.code === 'commander.help') {
    const known = commandList.map((entry) => entry.name).join(', ')
    return args[0] === 'help'
      ? new UsageError(`unknown command '${args[1]}'`, { hint: `the commands are ${known}` })
      : new UsageError('no command given', { hint: `the commands are ${known}` })
  }
  const [complaint = '', suggestion] = error.message.replace(/^error: /, '').split('\n')
  const command = commandList.find((entry) => args.includes(entry.name))?.name
  const help = command === undefined ? 'fadump --help' : `fadump ${command} --help`
  const guess = suggestion === undefined ? '' : `${suggestion.replace(/^\(|\?\)$/g, '').toLowerCase()}? `
  return new UsageError(complaint, { hint: `${guess}${help} shows what there is` })
}

/** The entry point of the executable. */
export async function main(): Promise<void> {
  const ui = new Ui({ out: process.stdout, err: process.stderr, env: process.env })
  const args = process.argv.slice(2)
  const onSignal = (): void => ui.interrupt()
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  // The reader of our output went away (`| head`): nothing left to say, but half a dump is a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' && !ui.carriesDump) process.exit(exitCodes.done)
    tellError(ui, args, streamFailure('standard output', error))
    process.exit(exitCodes.target)
  })
  process.stderr.on('error', () => {})
  process.exitCode = await run(args, ui)
}
