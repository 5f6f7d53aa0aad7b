// Writes a file as a flattened stream: what a sink does with positions when there is only a pipe.

import type { Writable } from 'node:stream'
import { MiB } from '../../core/address.ts'
import type { ByteSink } from '../../core/byte-sink.ts'
import { streamFailure } from '../../core/errors.ts'
import {
  endOfRecords,
  flattenedAbi,
  flattenedHeader,
  flattenedHeaderSize,
  flattenedSignature,
  recordHeader,
} from './layout.ts'

/** makedumpfile -R counts a record's bytes in an int. */
const maxRecord = 64 * MiB

export interface FlattenedSink extends ByteSink {
  /** Length of the stream so far, bytes. */
  readonly sent: number
}

/**
 * A sink that writes to `stream` and waits for it, so nothing piles up in memory. `finish` writes the
 * end record and leaves the stream open.
 */
export function flattenedSink(stream: Writable, name = 'standard output'): FlattenedSink {
  let started = false
  let sent = 0
  let end = 0
  // Failures come back by the callbacks of write; without a listener they would also end the process.
  stream.on('error', () => {})

  const send = (bytes: Uint8Array): Promise<void> => {
    sent += bytes.length
    return new Promise((resolve, reject) => {
      stream.write(bytes, (error) => {
        if (error) reject(streamFailure(name, error))
        else resolve()
      })
    })
  }

  async function start(): Promise<void> {
    if (started) return
    started = true
    const header = new Uint8Array(flattenedHeaderSize)
    header.set(flattenedHeader.write({ signature: flattenedSignature, type: 1, version: 1 }, flattenedAbi))
    await send(header)
  }

  async function write(offset: number, bytes: Uint8Array): Promise<void> {
    await start()
    for (let done = 0; done < bytes.length; done += maxRecord) {
      const part = bytes.subarray(done, done + maxRecord)
      const header = { offset: BigInt(offset + done), size: BigInt(part.length) }
      await send(recordHeader.write(header, flattenedAbi))
      await send(part)
    }
    end = Math.max(end, offset + bytes.length)
  }

  return {
    name,
    get sent() {
      return sent
    },
    write,
    async finish(size) {
      // The file ends with its last record: a hole at the end needs its last byte.
      if (size > end) await write(size - 1, new Uint8Array(1))
      await start()
      await send(recordHeader.write({ offset: endOfRecords, size: endOfRecords }, flattenedAbi))
    },
  }
}
