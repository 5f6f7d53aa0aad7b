// What a dump should hold and does not, as stretches of physical memory with the reason.

import type { Range } from '../core/ranges.ts'

export interface LostRange extends Range {
  /**
   * cut short: the file ends before it · not written: the disk was full when the dump was made, or the
   * record is damaged · part missing: of a split dump
   */
  readonly reason: 'cut short' | 'not written' | 'part missing'
}

export interface LostMemory {
  /** Bytes, all together. */
  readonly size: number
  /** In order of their addresses; the first ones when there are very many. */
  readonly ranges: readonly LostRange[]
}

/** Stretches that are told; more say nothing new to anybody. */
const mostRanges = 256

/** Put one together, in order of addresses. */
export class LostList implements LostMemory {
  size = 0
  readonly ranges: LostRange[] = []
  #end = -1
  #reason: LostRange['reason'] | undefined

  add(start: number, end: number, reason: LostRange['reason']): void {
    const last = this.ranges.at(-1)
    this.size += end - start
    const follows = this.#end === start && this.#reason === reason
    this.#end = end
    this.#reason = reason
    if (follows && last?.end === start) this.ranges[this.ranges.length - 1] = { ...last, end }
    else if (!follows && this.ranges.length < mostRanges) this.ranges.push({ start, end, reason })
  }
}
