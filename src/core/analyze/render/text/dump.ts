import { renderPlural, renderSize } from '../../../units.ts'
import type { DumpAnswer } from '../../sections/dump.ts'
import { type Page, pairLines } from '../page.ts'

export function dumpView(answer: DumpAnswer, page: Page): string[] {
  const { pageSize, pages } = answer
  const count = (number: number): string =>
    `${renderPlural(number, 'page')} (${renderSize(number * (pageSize ?? 0))})`
  return pairLines(page, [
    ['file', answer.file],
    ['format', formatText(answer)],
    ['architecture', answer.arch ?? `unknown, ELF machine ${answer.elfMachine}`],
    ['page size', pageSize === undefined ? undefined : renderSize(pageSize)],
    ['in the dump', pages && count(pages.stored)],
    ['left out', pages && count(pages.leftOut)],
    ['holes', pages && count(pages.holes)],
    ['dump level', answer.dumpLevel?.toString()],
    ['state', answer.isIncomplete ? 'incomplete' : 'whole'],
    ['missing', answer.missing && missingText(answer.missing)],
    [
      'notes',
      answer.notes.map(({ name, type, count: n }) => `${n} ${name} type ${type}`).join(', ') || 'none',
    ],
    ['VMCOREINFO', vmcoreinfoText(answer.vmcoreinfo)],
    ['KASLR offset', answer.kernelOffset],
    ['translation', answer.translation?.steps.map((step) => `${step.name} ${step.result}`).join(', ')],
  ])
}

/** Stretches that are shown; JSON has more. */
const mostShown = 8

function missingText({ size, ranges }: NonNullable<DumpAnswer['missing']>): string {
  const shown = ranges.slice(0, mostShown).map(({ start, end, reason }) => `${start}-${end} ${reason}`)
  return `${renderSize(size)}: ${[...shown, ...(ranges.length > mostShown ? ['…'] : [])].join(', ')}`
}

const containers = { file: '', flattened: ', flattened', machine: ', memory of a machine image' } as const

const formatText = ({ format, container, size }: DumpAnswer): string =>
  `${format}${containers[container]}, ${renderSize(size)}`

function vmcoreinfoText(found: DumpAnswer['vmcoreinfo']): string {
  if (found === undefined) return 'none'
  return found.source === 'note' ? 'in the notes' : `found in memory at ${found.address}`
}
