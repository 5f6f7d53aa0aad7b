// A kernel's facts for tests, as VMCOREINFO text, so that the real parser is in between.

import { Vmcoreinfo } from '../../src/core/kernel/vmcoreinfo.ts'

export interface FactList {
  readonly symbols?: Readonly<Record<string, bigint>>
  readonly numbers?: Readonly<Record<string, number | bigint>>
  readonly sizes?: Readonly<Record<string, number>>
  readonly offsets?: Readonly<Record<string, number>>
  readonly lengths?: Readonly<Record<string, number>>
  readonly lines?: Readonly<Record<string, string | number>>
}

export function makeVmcoreinfoText(facts: FactList): string {
  const lines = Object.entries(facts.lines ?? {}).map(([key, value]) => `${key}=${value}`)
  const add = (kind: string, list: object | undefined, text: (value: never) => string) => {
    for (const [name, value] of Object.entries(list ?? {})) {
      lines.push(`${kind}(${name})=${text(value as never)}`)
    }
  }
  add('SYMBOL', facts.symbols, (value: bigint) => value.toString(16))
  add('SIZE', facts.sizes, String)
  add('OFFSET', facts.offsets, String)
  add('LENGTH', facts.lengths, String)
  add('NUMBER', facts.numbers, String)
  return `${lines.join('\n')}\n`
}

export const makeFacts = (facts: FactList): Vmcoreinfo => new Vmcoreinfo(makeVmcoreinfoText(facts))
