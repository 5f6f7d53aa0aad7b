import { renderTable } from '../../../table.ts'
import { renderCount, renderPlural, renderSize } from '../../../units.ts'
import type { MemoryAnswer } from '../../sections/memory.ts'
import { indent, type Page, paragraph } from '../page.ts'

const names: Readonly<Record<keyof NonNullable<MemoryAnswer['kinds']>, string>> = {
  kernel: 'kernel',
  user: 'processes',
  cache: 'page cache',
  cachePrivate: 'page cache with private data',
  free: 'free',
  hwpoison: 'broken',
  offline: 'offline',
}

export function memoryView({ pageSize, pages, kinds }: MemoryAnswer, page: Page): string[] {
  if (kinds === undefined) {
    return paragraph(page, `${renderPlural(pages, 'page')} (${renderSize(pages * pageSize)}), not looked at`)
  }
  const row = (name: string, count: number): string[] => [
    name,
    renderCount(count),
    renderSize(count * pageSize),
    `${((100 * count) / pages).toFixed(1)} %`,
  ]
  const rows = Object.entries(names)
    .map(([kind, name]) => [name, kinds[kind as keyof typeof names]] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => row(name, count))
  const right = 'right' as const
  const columns = [{ title: 'use' }, ...['pages', 'size', 'share'].map((title) => ({ title, align: right }))]
  const [head = '', ...lines] = renderTable(columns, [...rows, row('all', pages)]).split('\n')
  return [page.style.dim(head), ...lines].map((line) => indent + line)
}
