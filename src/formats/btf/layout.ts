// BTF: the kernel's own description of its types. A header, records of types that follow each other, a
// pool of names. Type 0 is void; the others are numbered in their order.
// Source: Linux include/uapi/linux/btf.h.

import { type Of, struct, u8, u16, u32 } from '../../core/struct.ts'

export const btfHeader = struct('BTF header', {
  magic: u16('0xeb9f'),
  version: u8('1'),
  flags: u8('0'),
  headerSize: u32('bytes; newer headers may be longer'),
  typeOffset: u32('where the types start, bytes behind the header'),
  typeSize: u32('bytes'),
  nameOffset: u32('where the names start, bytes behind the header'),
  nameSize: u32('bytes'),
})
export type BtfHeader = Of<typeof btfHeader>

export const btfMagic = 0xeb9f

/** What every record begins with. */
export const btfType = struct('BTF type', {
  nameOffset: u32('where the name starts in the pool; 0: none'),
  info: u32('number of elements (bits 0 to 15), kind (24 to 28), flag (31)'),
  sizeOrType: u32('bytes, or the number of the type it refers to'),
})

/** Kind by its number; what stands behind the record's first three words. */
export const btfKinds = [
  { name: 'void', fixed: 0, each: 0 },
  { name: 'int', fixed: 4, each: 0 },
  { name: 'pointer', fixed: 0, each: 0 },
  { name: 'array', fixed: 12, each: 0 },
  { name: 'struct', fixed: 0, each: 12 },
  { name: 'union', fixed: 0, each: 12 },
  { name: 'enum', fixed: 0, each: 8 },
  { name: 'forward', fixed: 0, each: 0 },
  { name: 'typedef', fixed: 0, each: 0 },
  { name: 'volatile', fixed: 0, each: 0 },
  { name: 'const', fixed: 0, each: 0 },
  { name: 'restrict', fixed: 0, each: 0 },
  { name: 'function', fixed: 0, each: 0 },
  { name: 'prototype', fixed: 0, each: 8 },
  { name: 'variable', fixed: 4, each: 0 },
  { name: 'section', fixed: 0, each: 12 },
  { name: 'float', fixed: 0, each: 0 },
  { name: 'declaration tag', fixed: 4, each: 0 },
  { name: 'type tag', fixed: 0, each: 0 },
  { name: 'enum64', fixed: 0, each: 12 },
] as const
export type BtfKind = (typeof btfKinds)[number]['name']
