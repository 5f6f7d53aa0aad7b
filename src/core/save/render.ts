// What was saved, for people.

import { printableLine } from '../printable.ts'
import { renderTable } from '../table.ts'
import { renderSize } from '../units.ts'
import type { SaveResult } from './index.ts'

export function renderSaved({ location, files }: SaveResult<unknown>): string {
  const columns = [{ title: 'file' }, { title: 'size', align: 'right' }, { title: 'SHA-256' }] as const
  const rows = files.map(({ name, size, sha256 }) => [name, renderSize(size), sha256])
  return `saved to ${printableLine(location)}\n\n${renderTable(columns, rows)}`
}
