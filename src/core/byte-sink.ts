// Where a dump is written: positioned writes to a file, or a stream (then the flattened format carries
// the positions, see formats/flattened). Writers know only this interface.

export interface ByteSink {
  /** For messages. */
  readonly name: string
  /**
   * Put `bytes` at `offset`. Ranges of one output never overlap, but a header may be written last.
   * The sink is done with `bytes` when the promise resolves.
   * @throws {TargetError}; {NoSpaceError} says how much of it was written
   */
  write(offset: number, bytes: Uint8Array): Promise<void>
  /**
   * Make sure that [offset, offset + length) can be written when nothing else fits any more. Not there
   * in sinks whose output is useless when it is cut short.
   */
  reserve?(offset: number, length: number): Promise<void>
  /** Everything is written. `size` is the length of the output; its unwritten parts read as zeros. */
  finish(size: number): Promise<void>
}

/** The sink, and how many bytes it has been given to write so far; what is reserved does not count. */
export function countWrites(sink: ByteSink): { readonly sink: ByteSink; readonly bytes: () => number } {
  let total = 0
  const write = (offset: number, bytes: Uint8Array): Promise<void> => {
    total += bytes.length
    return sink.write(offset, bytes)
  }
  return { sink: { ...sink, write }, bytes: () => total }
}
