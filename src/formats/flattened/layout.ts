// The flattened form carries a file through a pipe: a header, then records "these bytes belong at that
// offset", in the order of writing, maybe backwards, until the end record. Always big-endian, whatever
// machine was dumped. Source: makedumpfile IMPLEMENTATION, "The flattened format".

import { FormatError } from '../../core/errors.ts'
import { abi64be, big64, chars, struct, u64 } from '../../core/struct.ts'

export const flattenedSignature = 'makedumpfile'

export const flattenedHeader = struct('makedumpfile_header', {
  signature: chars(16, `${flattenedSignature}, four NULs`),
  type: u64('1'),
  version: u64('1'),
})
/** The first record starts here. */
export const flattenedHeaderSize = 4096

/** Judged by the first 16 bytes. */
export const isFlattened = (header: Uint8Array): boolean =>
  Buffer.from(header.subarray(0, 16)).toString('latin1') === flattenedSignature.padEnd(16, '\0')

/** @throws {FormatError} these are not the first bytes of a flattened stream */
export function checkFlattenedHeader(bytes: Uint8Array, file: string): void {
  if (!isFlattened(bytes)) {
    const found = `bytes ${Buffer.from(bytes.subarray(0, 16)).toString('hex')}`
    throw new FormatError({
      file,
      offset: 0,
      field: 'not a flattened stream',
      expected: flattenedSignature,
      found,
    })
  }
  const { type } = flattenedHeader.parse(bytes, flattenedAbi, { file, what: 'flattened header' })
  if (type === 1) return
  throw new FormatError({
    file,
    offset: flattenedHeader.layout(flattenedAbi).offsets.type,
    field: 'flattened header, type',
    expected: '1',
    found: `${type}`,
  })
}

export const recordHeader = struct('makedumpfile_data_header', {
  offset: big64('where the bytes belong; -1 in the end record'),
  size: big64('how many follow; -1 in the end record'),
})

export const flattenedAbi = abi64be
export const recordHeaderSize = recordHeader.layout(flattenedAbi).size
/** Both fields of the end record. */
export const endOfRecords = 0xffff_ffff_ffff_ffffn
