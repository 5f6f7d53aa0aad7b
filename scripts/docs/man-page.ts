// Manual pages in mdoc(7), made from the command tree, so that a page cannot forget an option. What
// the tree does not know (why, examples, files) is in man-prose.ts.

import type { Argument, Command, Option } from 'commander'
import type { Prose } from './man-prose.ts'

const date = 'November 23, 2026'

/** A command's page, `fadump-NAME.8`. */
export function renderCommandPage(command: Command, prose: Prose): string {
  const name = `fadump-${command.name()}`
  return page(name, command.summary(), [
    section('SYNOPSIS', ['.Nm fadump', `.Cm ${command.name()}`, '.Op Ar options', ...argumentList(command)]),
    section('DESCRIPTION', paragraphs(prose.description)),
    section('OPTIONS', optionGroups(command)),
    section('FILES', tagList((prose.files ?? []).map(([path, text]) => [`Pa ${word(path)}`, text]))),
    section('EXIT STATUS', [
      ...tagList((prose.exit ?? []).map(([code, text]) => [`Li ${code}`, text])),
      ...(prose.exit === undefined ? [] : ['.Pp']),
      ...wrap('All exit codes are listed in'),
      '.Xr fadump 8 .',
    ]),
    section('EXAMPLES', examples(prose.examples)),
    section('SEE ALSO', seeAlso(['fadump', ...(prose.seeAlso ?? []).map((other) => `fadump-${other}`)])),
  ])
}

/** `fadump.8`: what all commands share, and the list of them. */
export function renderIndexPage(program: Command, commands: readonly Command[], prose: IndexProse): string {
  return page('fadump', prose.summary, [
    section('SYNOPSIS', ['.Nm', '.Ar command', '.Op Ar options']),
    section('DESCRIPTION', paragraphs(prose.description)),
    section(
      'COMMANDS',
      tagList(commands.map((command) => [`Xr fadump-${command.name()} 8`, capital(command.summary())])),
    ),
    section('OPTIONS', [
      ...wrap('Every command takes these, after its name or before it.'),
      ...tagList(visibleOptions(program).map((option) => [optionTerm(option), describe(option)])),
    ]),
    section('ENVIRONMENT', tagList(prose.environment.map(([name, text]) => [`Ev ${name}`, text]))),
    section('EXIT STATUS', tagList(prose.exit.map(([code, text]) => [`Li ${code}`, text]))),
    section('EXAMPLES', examples(prose.examples)),
    section('SECURITY', paragraphs(prose.security)),
    section('SEE ALSO', seeAlso(commands.map((command) => `fadump-${command.name()}`))),
  ])
}

export interface IndexProse extends Prose {
  readonly summary: string
  readonly environment: readonly (readonly [string, string])[]
  readonly exit: readonly (readonly [string, string])[]
  readonly security: readonly string[]
}

function page(name: string, summary: string, sections: readonly (readonly string[])[]): string {
  const head = [
    '.\\" Made by npm run docs from the command tree: change src/commands or scripts/docs/man-prose.ts.',
    `.Dd ${date}`,
    `.Dt ${name.toUpperCase()} 8`,
    '.Os',
    '.Sh NAME',
    `.Nm ${name}`,
    `.Nd ${roff(summary)}`,
  ]
  return `${[head, ...sections].flat().join('\n')}\n`
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [`.Sh ${title}`, ...lines]

/** Under the headings of the help, when it has any. */
function optionGroups(command: Command): string[] {
  const options = visibleOptions(command)
  const headings = new Set(options.map((option) => option.helpGroupHeading))
  return [...headings].flatMap((heading) => [
    ...(headings.size === 1 ? [] : [`.Ss ${(heading ?? 'Common to all commands').replace(/:$/, '')}`]),
    ...tagList(
      options
        .filter((option) => option.helpGroupHeading === heading)
        .map((option) => [optionTerm(option), describe(option)]),
    ),
  ])
}

const argumentList = (command: Command): string[] =>
  command.registeredArguments.map((argument) =>
    argument.required ? `.Ar ${argumentName(argument)}` : `.Op Ar ${argumentName(argument)}`,
  )

const argumentName = (argument: Argument): string => `${argument.name()}${argument.variadic ? ' ...' : ''}`

/** All but the help option, which needs no explanation. */
export const visibleOptions = (command: Command): readonly Option[] =>
  command.options.filter((option) => !option.hidden)

/** `-d, --dump-level <level>` as `Fl d , Fl -dump-level Ar level`. */
function optionTerm(option: Option): string {
  const value = /[<[](.+?)[>\]]/.exec(option.flags)?.[1]
  const flags = [option.short, option.long].filter((flag) => flag !== undefined)
  const names = flags.map((flag) => `Fl ${word(flag.slice(1))}`).join(' , ')
  return value === undefined ? names : `${names} Ar ${word(value)}`
}

function describe(option: Option): string {
  const standard = option.defaultValueDescription ?? option.defaultValue
  const isWorthSaying = standard !== undefined && standard !== false && standard !== true
  const choices = option.argChoices === undefined ? '' : `: ${option.argChoices.join(', ')}`
  return `${capital(option.description)}${choices}.${isWorthSaying ? ` Default: ${String(standard)}.` : ''}`
}

function tagList(items: readonly (readonly [string, string])[]): string[] {
  if (items.length === 0) return []
  return ['.Bl -tag -width Ds', ...items.flatMap(([term, text]) => [`.It ${term}`, ...wrap(text)]), '.El']
}

const examples = (list: Prose['examples']): string[] =>
  list.flatMap(({ text, command }, i) => [
    ...(i === 0 ? [] : ['.Pp']),
    ...wrap(text),
    '.Bd -literal -offset indent',
    ...command.split('\n').map(roff),
    '.Ed',
  ])

function seeAlso(pages: readonly string[]): string[] {
  const sorted = [...pages].sort()
  return sorted.map((name, i) => `.Xr ${name} 8${i === sorted.length - 1 ? '' : ' ,'}`)
}

const paragraphs = (texts: readonly string[]): string[] =>
  texts.flatMap((text, i) => [...(i === 0 ? [] : ['.Pp']), ...wrap(text)])

/** Lines of at most 78 characters; mdoc wants every sentence on a line of its own. */
function wrap(text: string): string[] {
  return text.split(/(?<=[.:!?]) (?=[A-Z`])/).flatMap((sentence) => {
    const lines: string[] = []
    for (const part of sentence.split(' ')) {
      const last = lines.at(-1)
      if (last !== undefined && last.length + part.length < 78) lines[lines.length - 1] = `${last} ${part}`
      else lines.push(part)
    }
    return lines.map(roff)
  })
}

/** Backslashes, and lines that would be requests. */
const roff = (line: string): string => line.replaceAll('\\', '\\e').replace(/^(?=[.'])/, '\\&')

/** An argument of a macro that must not be taken for a macro or punctuation itself. */
const word = (text: string): string =>
  /^([A-Z][a-z]|[^A-Za-z0-9])$/.test(text) ? `\\&${text}` : roff(text.replaceAll(' ', '\\ '))

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
