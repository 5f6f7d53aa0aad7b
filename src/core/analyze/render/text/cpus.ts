import type { CpuAnswer } from '../../sections/cpus.ts'
import { cellLines, indent, type Page } from '../page.ts'

export const cpusView = (answer: readonly CpuAnswer[], page: Page): string[] =>
  answer.flatMap((cpu, i) => [
    ...(i === 0 ? [] : ['']),
    headline(cpu, page),
    ...cellLines(page, registers(cpu)),
  ])

function headline(answer: CpuAnswer, { style }: Page): string {
  const { cpu, crashed, mode, programCounter, stackPointer } = answer
  const number = style.bold(`CPU ${cpu.value}`)
  const doubt = cpu.confidence === 'exact' ? '' : ` (${cpu.confidence}, from the ${cpu.source})`
  const place = `in ${mode} mode at ${programCounter}, stack ${stackPointer}`
  return `${indent}${number}${doubt}${crashed ? ` ${style.red('crashed')}` : ''}, ${place}`
}

function registers({ registers: values }: CpuAnswer): string[] {
  const width = Math.max(0, ...Object.keys(values).map((name) => name.length))
  return Object.entries(values).map(([name, value]) => `${name.padEnd(width)} ${value.slice(2)}`)
}
