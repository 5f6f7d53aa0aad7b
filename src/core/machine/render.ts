// Machines as text for people.

import { printableLine } from '../printable.ts'
import { renderPairs, renderTable } from '../table.ts'
import { renderSize } from '../units.ts'
import type { Creation } from './create.ts'
import type { Finding } from './describe.ts'

export function renderCreation(creation: Creation): string {
  const head = renderPairs([
    ['machine', creation.machine],
    ['made from', printableLine(creation.origin)],
    ['memory', renderMemory(creation)],
    ['CPUs', `${creation.cpus}`],
  ])
  const columns = [{ title: 'fact' }, { title: 'known from' }, { title: 'value' }]
  const rows = creation.findings.map((finding) => [
    labels[finding.field],
    finding.source,
    renderValue(finding),
  ])
  return `${head}\n\n${renderTable(columns, rows)}`
}

const labels: Record<Finding['field'], string> = {
  release: 'kernel',
  mmu: 'MMU',
  commandLine: 'command line',
  cpus: 'possible CPUs',
  nrCpus: 'CPU mask bits',
  rmaSize: 'real-mode area',
}

const renderValue = ({ field, value }: Finding): string =>
  field === 'rmaSize' ? renderSize(Number(value)) : printableLine(String(value))

/** `1.3 GiB, 0x0-0x50000000`; of many ranges the first few. */
function renderMemory({ memorySize, memory }: Pick<Creation, 'memorySize' | 'memory'>): string {
  const shown = memory.slice(0, 4).map(({ start, end }) => `${start}-${end}`)
  const more = memory.length > shown.length ? ` and ${memory.length - shown.length} more` : ''
  return `${renderSize(memorySize)}, ${shown.join(' ')}${more}`
}
