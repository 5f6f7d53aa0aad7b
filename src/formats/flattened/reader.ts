// A flattened stream kept in a file, as the bytes of the file it describes. Where no record put any it
// reads as zeros; where two did, the later wins, as when it is rearranged. A stream that broke off is
// read as far as it goes: headers and bitmaps come first, so most pages of it can be had.

import { hex } from '../../core/address.ts'
import type { ByteSource } from '../../core/byte-source.ts'
import type { Warning } from '../../core/errors.ts'
import { ExtentList, type ExtentMap } from '../../core/extents.ts'
import type { Container } from '../index.ts'
import {
  checkFlattenedHeader,
  endOfRecords,
  flattenedAbi,
  flattenedHeader,
  flattenedHeaderSize,
  isFlattened,
  recordHeader,
  recordHeaderSize,
} from './layout.ts'

export const flattenedContainer: Container = {
  name: 'flattened',
  probe: isFlattened,
  unwrap: openFlattened,
}

function openFlattened(source: ByteSource): ByteSource {
  checkHeader(source)
  const { records, warnings } = readRecords(source)
  const size = records.length === 0 ? 0 : records.end(records.length - 1)
  return {
    name: source.name,
    path: source.path,
    size,
    stored: source.size,
    warnings: [...(source.warnings ?? []), ...warnings],
    read(offset, into) {
      const length = Math.max(0, Math.min(into.length, size - offset))
      return readRecordsInto(source, records, offset, into.subarray(0, length))
    },
    [Symbol.dispose]: () => source[Symbol.dispose](),
  }
}

function checkHeader(source: ByteSource): void {
  const bytes = new Uint8Array(flattenedHeader.layout(flattenedAbi).size)
  source.read(0, bytes)
  checkFlattenedHeader(bytes, source.name)
}

/** Walk the chain of record headers; no data is read. */
function readRecords(source: ByteSource): { records: ExtentMap; warnings: readonly Warning[] } {
  const list = new ExtentList()
  const bytes = new Uint8Array(recordHeaderSize)
  const finish = (code: 'TRUNCATED' | 'DAMAGED', message: string) => ({
    records: list.overlay('later'),
    warnings: [{ code, message: `${source.name}: ${message}; what came before is read` }],
  })
  for (let at = flattenedHeaderSize; ; ) {
    if (source.read(at, bytes) < recordHeaderSize) return finish('TRUNCATED', 'the stream has no end record')
    const { offset, size } = recordHeader.parse(bytes, flattenedAbi, { file: source.name, base: at })
    if (offset === endOfRecords && size === endOfRecords)
      return { records: list.overlay('later'), warnings: [] }
    if (size === 0n || offset + size > BigInt(Number.MAX_SAFE_INTEGER)) {
      return finish('DAMAGED', `no record at byte ${hex(at)}, offset ${offset}, size ${size}`)
    }
    const data = at + recordHeaderSize
    const there = Math.min(Number(size), source.size - data)
    list.push(Number(offset), Number(offset) + there, data)
    if (there < Number(size)) return finish('TRUNCATED', 'the stream ends inside a record')
    at = data + there
  }
}

/** Fill `into`, which ends inside the file described. Returns its length, less when the file was cut since. */
function readRecordsInto(source: ByteSource, records: ExtentMap, offset: number, into: Uint8Array): number {
  for (let done = 0; done < into.length; ) {
    const at = offset + done
    const i = records.find(at)
    const start = records.start(i)
    const until = Math.min(into.length, (start > at ? start : records.end(i)) - offset)
    const part = into.subarray(done, until)
    if (start > at) part.fill(0)
    else {
      const got = source.read(records.offset(i) + (at - start), part)
      if (got < part.length) return done + got
    }
    done = until
  }
  return into.length
}
