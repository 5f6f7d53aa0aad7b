// Sets of addresses as sorted, disjoint, non-empty ranges, end exclusive. Touching ranges are merged,
// so two equal sets are equal arrays.

export interface Range {
  readonly start: number
  /** First address after the range. */
  readonly end: number
}

export type Ranges = readonly Range[]

export const rangeSize = (range: Range): number => range.end - range.start

export const overlaps = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end

/** Sort and merge any list of ranges; empty ones vanish. */
export function makeRanges(list: Iterable<Range>): Ranges {
  const sorted = [...list].filter((r) => r.end > r.start).sort((a, b) => a.start - b.start)
  const merged: { start: number; end: number }[] = []
  for (const { start, end } of sorted) {
    const last = merged.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else merged.push({ start, end })
  }
  return merged
}

export const totalSize = (ranges: Ranges): number => ranges.reduce((sum, r) => sum + rangeSize(r), 0)

/** The range that holds `address`, by binary search. */
export function findRange(ranges: Ranges, address: number): Range | undefined {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const range = ranges[middle] as Range
    if (address < range.start) high = middle
    else if (address >= range.end) low = middle + 1
    else return range
  }
  return undefined
}

/** The parts of `ranges` inside one range; takes time for those parts alone. */
export function clip(ranges: Ranges, { start, end }: Range): Ranges {
  let low = 0
  let high = ranges.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ranges[middle] as Range).end <= start) low = middle + 1
    else high = middle
  }
  const parts: Range[] = []
  for (; low < ranges.length && (ranges[low] as Range).start < end; low++) {
    const range = ranges[low] as Range
    parts.push({ start: Math.max(range.start, start), end: Math.min(range.end, end) })
  }
  return parts
}

export const contains = (ranges: Ranges, inner: Range): boolean => {
  const range = findRange(ranges, inner.start)
  return range !== undefined && inner.end <= range.end
}

/** What is in `a` and not in `b`. */
export function subtract(a: Ranges, b: Ranges): Ranges {
  const left: Range[] = []
  let next = 0
  for (const range of a) {
    let start = range.start
    while (next < b.length && (b[next] as Range).end <= start) next++
    for (let i = next; i < b.length && (b[i] as Range).start < range.end; i++) {
      const cut = b[i] as Range
      if (cut.start > start) left.push({ start, end: cut.start })
      start = Math.max(start, cut.end)
    }
    if (start < range.end) left.push({ start, end: range.end })
  }
  return left
}

export const intersect = (a: Ranges, b: Ranges): Ranges => subtract(a, subtract(a, b))
