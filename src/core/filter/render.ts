// What a filter did, for people.

import type { LostMemory } from '../../formats/lost.ts'
import { hex } from '../address.ts'
import { renderPairs, renderTable } from '../table.ts'
import { renderCount, renderPlural, renderSize } from '../units.ts'
import type { Estimate } from './estimate.ts'
import type { FilterResult } from './index.ts'
import type { RearrangeResult } from './rearrange.ts'
import type { ReassembleResult } from './reassemble.ts'
import type { SplitResult } from './split.ts'
import type { PageStatistics } from './statistics.ts'

export function renderFilterResult(result: FilterResult | SplitResult): string {
  const share = (result.outputSize / Math.max(1, result.memorySize)) * 100
  const written = `written: ${renderSize(result.outputSize)}, ${share.toFixed(1)} % of the memory`
  const parts = 'parts' in result ? [renderParts(result)] : []
  return [renderHead(result), renderPages(result), ...renderMissing(result.missing), ...parts, written].join(
    '\n\n',
  )
}

const renderHead = (result: FilterResult): string =>
  renderPairs([
    ['source', result.source],
    ['output', `${result.output} (${formatName(result)})`],
    ['dump level', levelText(result)],
  ])

/** What a filter would do. */
export function renderEstimate(estimate: Estimate): string {
  const { sizes, codec, memorySize } = estimate
  const columns = [
    { title: 'would be written' },
    { title: 'size', align: 'right' },
    { title: 'of the memory', align: 'right' },
  ] as const
  const rows = sizes.map(({ codec: name, outputSize, isExact }) => [
    `${name ?? 'not compressed'}${name === codec && sizes.length > 1 ? ', as asked for' : ''}`,
    `${isExact ? '' : 'about '}${renderSize(outputSize)}`,
    `${((100 * outputSize) / Math.max(1, memorySize)).toFixed(1)} %`,
  ])
  const table = renderTable(columns, rows)
  return [renderHead(estimate), renderPages(estimate), ...renderMissing(estimate.missing), table].join('\n\n')
}

export function renderReassembled({ parts, output, pageSize, ...result }: ReassembleResult): string {
  return renderPairs([
    ['parts', parts.join(' ')],
    ['output', `${output} (kdump), ${renderSize(result.outputSize)}`],
    ['pages', `${renderCount(result.storedPages)} of ${renderSize(pageSize)}`],
    ...(result.lostPages === 0 ? [] : [['missing', renderPlural(result.lostPages, 'page')] as const]),
  ])
}

/** Stretches that are shown; --json has more. */
const mostShown = 12

function renderMissing({ size, ranges }: LostMemory): string[] {
  if (size === 0) return []
  const columns = [
    { title: 'missing in the source' },
    { title: 'size', align: 'right' },
    { title: 'reason' },
  ] as const
  const rows = ranges
    .slice(0, mostShown)
    .map(({ start, end, reason }) => [`${hex(start)}-${hex(end)}`, renderSize(end - start), reason])
  const all = ranges.length > 1 ? [['all', renderSize(size), '']] : []
  const more = ranges.length > mostShown ? [['…', '', '']] : []
  return [renderTable(columns, [...rows, ...more, ...all])]
}

const formatName = ({ format, codec, flattened }: FilterResult): string =>
  [format, codec ?? 'not compressed', ...(flattened ? ['flattened'] : [])].join(', ')

function levelText({ level, requestedLevel, sourceLevel }: FilterResult): string {
  if (level !== requestedLevel) {
    return `${level}, changed from ${requestedLevel} because the source was created by dump level ${sourceLevel}`
  }
  return level === 0 ? '0: nothing is left out; -d 31 leaves out what is seldom needed' : `${level}`
}

const kinds: readonly { readonly field: keyof PageStatistics; readonly label: string }[] = [
  { field: 'zero', label: 'left out: zero' },
  { field: 'cache', label: 'left out: page cache' },
  { field: 'cachePrivate', label: 'left out: page cache, private data' },
  { field: 'user', label: 'left out: user memory' },
  { field: 'free', label: 'left out: free' },
  { field: 'hwpoison', label: 'left out: broken memory' },
  { field: 'offline', label: 'left out: offline' },
  { field: 'structPages', label: 'left out: records of such pages' },
  { field: 'missing', label: 'missing in the source' },
  { field: 'lost', label: 'unreadable in the source' },
  { field: 'kept', label: 'kept' },
]

function renderPages({ pages, pageSize }: FilterResult): string {
  const columns = [
    { title: 'pages' },
    { title: 'number', align: 'right' },
    { title: 'size', align: 'right' },
    { title: 'share', align: 'right' },
  ] as const
  const row = (label: string, count: number): string[] => {
    const share = `${((100 * count) / Math.max(1, pages.existing)).toFixed(0)} %`
    return [label, renderCount(count), renderSize(count * pageSize), share]
  }
  const rows = kinds
    .filter(({ field }) => pages[field] > 0)
    .map(({ field, label }) => row(label, pages[field]))
  return renderTable(columns, [...rows, row('all', pages.existing)])
}

export const renderRearranged = ({ source, output, streamSize, outputSize }: RearrangeResult): string =>
  renderPairs([
    ['stream', `${source}, ${renderSize(streamSize)}`],
    ['output', `${output}, ${renderSize(outputSize)}`],
  ])

function renderParts({ parts }: SplitResult): string {
  const columns = [
    { title: 'part' },
    { title: 'page frames' },
    { title: 'pages', align: 'right' },
    { title: 'size', align: 'right' },
  ] as const
  const rows = parts.map(({ output, startPfn, endPfn, storedPages, outputSize }) => [
    output,
    `${hex(startPfn)}-${hex(endPfn)}`,
    renderCount(storedPages),
    renderSize(outputSize),
  ])
  return renderTable(columns, rows)
}
