// Keeping a file sparse without the file system's help: write only what differs from what is there.
// A hole reads as zeros, so zeros are never written over one.

/** File systems allocate in blocks of this size. */
const block = 4096
const zeros = new Uint8Array(1024 * 1024)

/** Runs of 4 KiB blocks in which `bytes` differs from `old` (of the same length), as offsets. */
export function* differingRuns(
  bytes: Uint8Array,
  old: Uint8Array,
): Generator<{ readonly start: number; readonly end: number }> {
  const a = asBuffer(bytes)
  const b = asBuffer(old)
  let start = -1
  for (let at = 0; at < a.length; at += block) {
    const end = Math.min(at + block, a.length)
    const same = a.compare(b, at, end, at, end) === 0
    if (same && start >= 0) {
      yield { start, end: at }
      start = -1
    } else if (!same && start < 0) start = at
  }
  if (start >= 0) yield { start, end: a.length }
}

/** Runs of 4 KiB blocks that are not all zero. */
export function* nonZeroRuns(bytes: Uint8Array): Generator<{ readonly start: number; readonly end: number }> {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length)
    for (const run of differingRuns(part, zeros.subarray(0, part.length))) {
      yield { start: at + run.start, end: at + run.end }
    }
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
