// NT_PRSTATUS notes: the registers of one CPU each, and the process it ran. The architecture gives the
// registers' names. Source: Linux include/linux/elfcore.h.

import type { Arch } from '../../core/arch/index.ts'
import { Cursor } from '../../core/cursor.ts'
import { bigword, i16, i32, struct } from '../../core/struct.ts'
import { isPrstatus, type Note } from './notes.ts'

/** struct elf_prstatus up to its registers; after them comes one word, pr_fpvalid. */
export const prstatusHead = struct('elf_prstatus', {
  signo: i32('0'),
  code: i32('0'),
  errno: i32('0'),
  cursig: i16('0'),
  sigpend: bigword('0'),
  sighold: bigword('0'),
  pid: i32('process that ran: 0 in fadump, CPU number + 1 in QEMU'),
  ppid: i32('0'),
  pgrp: i32('0'),
  sid: i32('0'),
  utimeSeconds: bigword('0'),
  utimeMicros: bigword('0'),
  stimeSeconds: bigword('0'),
  stimeMicros: bigword('0'),
  cutimeSeconds: bigword('0'),
  cutimeMicros: bigword('0'),
  cstimeSeconds: bigword('0'),
  cstimeMicros: bigword('0'),
})

export interface Prstatus {
  readonly pid: number
  /** By the architecture's names; 64 bits each. */
  readonly registers: Readonly<Record<string, bigint>>
}

/** All CPUs' registers in the order of the notes. Notes of another size than the architecture's are none. */
export const findPrstatus = (notes: readonly Note[], arch: Arch): Prstatus[] =>
  notes
    .filter((note) => isPrstatus(note) && note.desc.length === arch.registers.prstatusSize)
    .map(({ desc }) => {
      const { littleEndian } = arch.abi
      const { pid } = prstatusHead.parse(desc, arch.abi, { file: 'NT_PRSTATUS' })
      const cursor = new Cursor(desc, littleEndian, { file: 'NT_PRSTATUS' })
      cursor.position = prstatusHead.layout(arch.abi).size
      return {
        pid,
        registers: Object.fromEntries(arch.registers.names.map((name) => [name, cursor.big64(name)])),
      }
    })
