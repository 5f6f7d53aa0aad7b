// Tables of the formats, made from the structs that read and write them. In a document the lines
// between `<!-- struct NAME -->` and `<!-- end -->` are replaced.

import * as fdm from '../../src/core/firmware/fdm.ts'
import { type Abi, abi64be, abi64le, type Layout } from '../../src/core/struct.ts'
import * as elf from '../../src/formats/elf/layout.ts'
import * as fdh from '../../src/formats/fdh.ts'
import * as flattened from '../../src/formats/flattened/layout.ts'
import * as kdump from '../../src/formats/kdump/layout.ts'
import * as machine from '../../src/formats/machine-image/layout.ts'
import * as regsave from '../../src/formats/regsave.ts'

interface Table {
  readonly fields: Readonly<
    Record<string, { readonly doc: string; readonly since: number; size(abi: Abi): number }>
  >
  layout(abi: Abi): Layout
}

const tables: Readonly<Record<string, readonly [Table, Abi]>> = {
  elfHeader: [elf.elfHeader, abi64le],
  programHeader64: [elf.programHeader64, abi64le],
  kdumpHeader: [kdump.kdumpHeader, abi64le],
  subHeader: [kdump.subHeader, abi64le],
  pageDescriptor: [kdump.pageDescriptor, abi64le],
  flattenedHeader: [flattened.flattenedHeader, flattened.flattenedAbi],
  recordHeader: [flattened.recordHeader, flattened.flattenedAbi],
  fdmHeader: [fdm.fdmHeader, abi64be],
  fdmSection: [fdm.fdmSection, abi64be],
  crashInfoHeader: [fdh.crashInfoHeader, abi64le],
  regsaveHeader: [regsave.regsaveHeader, abi64be],
  slotHeader: [machine.slotHeader, machine.imageAbi],
}

/** The document with all its tables as the structs are now. @throws {Error} for a name that is no struct. */
export function fillTables(markdown: string): string {
  return markdown.replace(/(<!-- struct (\w+) -->\n)[\s\S]*?(<!-- end -->)/g, (_, start, name, end) => {
    const found = tables[name]
    if (found === undefined) throw new Error(`no struct ${name} in scripts/docs/struct-tables.ts`)
    return `${start}${renderTable(...found)}${end}`
  })
}

function renderTable(table: Table, abi: Abi): string {
  const { offsets, size } = table.layout(abi)
  const rows = Object.entries(table.fields).map(([name, field]) => {
    const from = field.since > 0 ? ` (since version ${field.since})` : ''
    return `| ${offsets[name]} | ${field.size(abi)} | ${name} | ${field.doc}${from} |\n`
  })
  return `\n| byte | bytes | field | what |\n|---|---|---|---|\n${rows.join('')}\n${size} bytes.\n\n`
}
