// The log of Linux before 3.5: a ring of text, lines and all. log_end counts the bytes ever written.
// Source: Linux v3.4 kernel/printk.c.

import { isPowerOfTwo } from '../address.ts'
import { KernelError } from '../errors.ts'
import { Stretch } from '../memory/stretch.ts'
import type { Range } from '../ranges.ts'
import type { LogSource } from './printk.ts'
import { required, type Vmcoreinfo } from './vmcoreinfo.ts'

const maxBufferSize = 2 ** 27
/** What is missing together with a byte that is not in the dump. */
const pieceSize = 1024

export interface ByteLog {
  /** As the kernel left it, `<6>` in front of a line included; what is not in the dump is missing. */
  readonly bytes: Uint8Array
  readonly problems: readonly string[]
}

export const hasByteLog = (vmcoreinfo: Vmcoreinfo): boolean => vmcoreinfo.symbol('log_end') !== undefined

/** @throws {KernelError} the buffer makes no sense. @throws {FaultError} its variables are not in the dump. */
export function readByteLog({ memory, vmcoreinfo }: LogSource): ByteLog {
  const variable = (name: string) => required(vmcoreinfo.symbol(name), `SYMBOL(${name})`)
  const size = memory.u32(variable('log_buf_len'))
  if (!isPowerOfTwo(size) || size > maxBufferSize) {
    throw new KernelError(`the kernel log is damaged: its buffer has ${size} bytes`)
  }
  const end = memory.u32(variable('log_end'))
  const buffer = new Stretch(memory, memory.u64(variable('log_buf')), size)
  const parts =
    end < size
      ? [{ start: 0, end }]
      : [
          { start: end % size, end: size },
          { start: 0, end: end % size },
        ]
  const bytes = Buffer.concat(parts.flatMap((part) => [...pieces(buffer, part)]))
  return { bytes, problems: buffer.gap === undefined ? [] : [`log buffer: ${buffer.gap}`] }
}

function* pieces(buffer: Stretch, { start, end }: Range): Generator<Uint8Array> {
  for (let at = start; at < end; at += pieceSize) {
    const bytes = buffer.bytes(at, Math.min(pieceSize, end - at))
    if (bytes !== undefined) yield bytes
  }
}
