// Files that hold a dump packed as a whole. They are refused with the command that unpacks them: a dump
// is read at random, which a packed stream does not allow, and a guess would fill somebody's disk.

import { hasBytes } from '../core/bytes.ts'
import { FormatError } from '../core/errors.ts'

interface Wrapper {
  readonly name: string
  readonly magic: readonly number[]
  /** Unpacks a file, keeping the original. */
  readonly command: string
}

// Source: magic(5) of file(1).
const wrapperList: readonly Wrapper[] = [
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd], command: 'zstd -d' },
  { name: 'gzip', magic: [0x1f, 0x8b], command: 'gunzip -k' },
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], command: 'unxz -k' },
  { name: 'bzip2', magic: [0x42, 0x5a, 0x68], command: 'bunzip2 -k' },
  { name: 'lz4', magic: [0x04, 0x22, 0x4d, 0x18], command: 'unlz4 -k' },
  { name: 'lzop', magic: [0x89, 0x4c, 0x5a, 0x4f, 0x00], command: 'lzop -d' },
]

/** @throws {FormatError} when the file is packed. */
export function refuseWrapped(header: Uint8Array, file: string): void {
  const wrapper = wrapperList.find(({ magic }) => hasBytes(header, 0, magic))
  if (wrapper === undefined) return
  throw new FormatError({
    file,
    offset: 0,
    field: 'not a dump',
    expected: 'the dump itself',
    found: `a file packed with ${wrapper.name}`,
    hint: `unpack it first, with ${wrapper.command}`,
  })
}
