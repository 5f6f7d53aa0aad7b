// Reads what to erase: makedumpfile.conf(5), and one command more, because kernels do not describe the
// types of their variables: `declare struct s1 *table[100]`.

import { readFileSync } from 'node:fs'
import { MiB } from '../address.ts'
import { messageOf, UsageError } from '../errors.ts'
import { type Declaration, parseDeclaration } from '../kernel/c-type.ts'
import { printableLine } from '../printable.ts'

export interface EraseConfig {
  readonly file: string
  readonly sections: readonly EraseSection[]
}

export interface EraseSection {
  /** `vmlinux` or the name of a module. */
  readonly module: string
  readonly line: number
  readonly declarations: ReadonlyMap<string, Declaration>
  readonly commands: readonly (EraseCommand | EraseLoop)[]
}

export interface EraseCommand {
  readonly kind: 'erase'
  readonly line: number
  /** As written: `mystruct.key`; the first word is a symbol or the loop's variable. */
  readonly expression: string
  readonly amount: EraseAmount
}

/** What the type says · so many bytes · as many as a variable says · only the pointer, which becomes NULL */
export type EraseAmount =
  | { readonly by: 'type' }
  | { readonly by: 'number'; readonly bytes: number }
  | { readonly by: 'variable'; readonly expression: string }
  | { readonly by: 'nullify' }

export interface EraseLoop {
  readonly kind: 'for'
  readonly line: number
  readonly variable: string
  /** An array, a struct in a chain, or the head of a list. */
  readonly list: string
  /** Member that points to the next struct of the chain. */
  readonly via: string | undefined
  /** Struct that the list goes through, and its member there. */
  readonly within: { readonly struct: string; readonly member: string } | undefined
  readonly body: readonly EraseCommand[]
}

interface Word {
  readonly text: string
  readonly line: number
}

const keywords: ReadonlySet<string> = new Set([
  'erase',
  'size',
  'nullify',
  'for',
  'in',
  'via',
  'within',
  'endfor',
  'declare',
])

/** @throws {UsageError} not to be read, or a mistake: names file and line */
export function readEraseConfig(path: string): EraseConfig {
  try {
    return parseEraseConfig(readFileSync(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${path}: ${messageOf(error)}`, { cause: error })
  }
}

/** @throws {UsageError} names file and line */
export function parseEraseConfig(text: string, file: string): EraseConfig {
  const sections: EraseSection[] = []
  let begin = { module: 'vmlinux', line: 1 }
  let words: Word[] = []
  const finish = (): void => {
    if (words.length > 0) sections.push({ ...begin, ...new SectionParser(file, words).parse() })
    words = []
  }
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = i + 1
    const content = raw.replace(/#.*/, '').trim()
    if (content.startsWith('[')) {
      const module = /^\[([\w-]+)\]$/.exec(content)?.[1]
      if (module === undefined) throw problem(file, line, 'expected [vmlinux] or the [name] of a module')
      finish()
      begin = { module, line }
    } else if (/^declare\s/.test(content)) {
      words.push({ text: 'declare', line }, { text: content.slice('declare '.length), line })
    } else {
      words.push(
        ...content
          .split(/\s+/)
          .filter(Boolean)
          .map((word) => ({ text: word, line })),
      )
    }
  }
  finish()
  return { file, sections }
}

/** A mistake in the configuration. */
export const problem = (file: string, line: number, message: string, hint?: string): UsageError =>
  new UsageError(`${file}, line ${line}: ${printableLine(message)}`, hint === undefined ? {} : { hint })

class SectionParser {
  readonly #file: string
  readonly #words: readonly Word[]
  #next = 0

  constructor(file: string, words: readonly Word[]) {
    this.#file = file
    this.#words = words
  }

  parse(): Pick<EraseSection, 'declarations' | 'commands'> {
    const declarations = new Map<string, Declaration>()
    const commands: (EraseCommand | EraseLoop)[] = []
    while (this.#next < this.#words.length) {
      const { line } = this.#peek() as Word
      if (this.#take('erase')) commands.push(this.#command(line))
      else if (this.#take('for')) commands.push(this.#loop(line))
      else if (this.#take('declare')) {
        const declaration = parseDeclaration(this.#word('a declaration', /./))
        if (declaration === undefined) {
          const hint = 'write it as C does: declare struct s1 *table[100]'
          throw problem(this.#file, line, 'not a declaration of a variable', hint)
        }
        declarations.set(declaration.name, declaration)
      } else throw this.#unexpected('erase, for or declare')
    }
    return { declarations, commands }
  }

  #command(line: number): EraseCommand {
    const expression = this.#word('what to erase', path)
    return { kind: 'erase', line, expression, amount: this.#amount() }
  }

  #amount(): EraseAmount {
    if (this.#take('nullify')) return { by: 'nullify' }
    if (!this.#take('size')) return { by: 'type' }
    const text = this.#word('a number of bytes or a variable', /^(\d+[km]?|[A-Za-z_][\w.]*)$/i)
    const [, digits, unit = ''] = /^(\d+)([km]?)$/i.exec(text) ?? []
    if (digits === undefined) return { by: 'variable', expression: text }
    return {
      by: 'number',
      bytes: Number(digits) * { '': 1, k: 1024, m: MiB }[unit.toLowerCase() as '' | 'k' | 'm'],
    }
  }

  #loop(line: number): EraseLoop {
    const variable = this.#word('a variable', /^[A-Za-z_]\w*$/)
    if (!this.#take('in')) throw this.#unexpected('in')
    const list = this.#word('a list', path)
    const via = this.#take('via') ? this.#word('a member', path) : undefined
    const within = this.#take('within')
      ? this.#word('struct:member', /^\w+(:\w+(\.\w+)*)?$/).split(':')
      : undefined
    const body: EraseCommand[] = []
    while (!this.#take('endfor')) {
      const begin = this.#peek()?.line ?? line
      if (!this.#take('erase')) throw this.#unexpected('erase or endfor')
      const command = this.#command(begin)
      if (command.expression.split('.')[0] !== variable) {
        throw problem(
          this.#file,
          begin,
          `${command.expression} is not a part of ${variable}, the loop's variable`,
        )
      }
      body.push(command)
    }
    return {
      kind: 'for',
      line,
      variable,
      list,
      via,
      within: within && { struct: within[0] as string, member: within[1] ?? 'list' },
      body,
    }
  }

  #peek(): Word | undefined {
    return this.#words[this.#next]
  }

  #take(keyword: string): boolean {
    if (this.#peek()?.text !== keyword) return false
    this.#next++
    return true
  }

  #word(what: string, pattern: RegExp): string {
    const word = this.#peek()
    if (word === undefined || keywords.has(word.text) || !pattern.test(word.text))
      throw this.#unexpected(what)
    this.#next++
    return word.text
  }

  #unexpected(expected: string): UsageError {
    const word = this.#peek()
    const line = word?.line ?? this.#words.at(-1)?.line ?? 1
    return problem(this.#file, line, `expected ${expected}, found ${word?.text ?? 'the end of the section'}`)
  }
}

/** Symbol or variable, and members, all after dots; pointers are followed. */
const path = /^[A-Za-z_]\w*(\.\w+)*$/
