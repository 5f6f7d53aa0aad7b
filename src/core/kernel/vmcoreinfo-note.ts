// The VMCOREINFO note as a kernel keeps it in its memory, at the start of a page of its own, for the
// capture kernel to find. The text it is made of is in another page.
// Source: Linux kernel/vmcore_info.c (crash_save_vmcoreinfo, update_vmcoreinfo_note).

import { noteHeaderSize } from '../../formats/elf/notes.ts'
import { KiB, type PhysAddr } from '../address.ts'
import { hasBytes } from '../bytes.ts'
import type { PhysicalMemory } from '../memory/physical.ts'

/** With one NUL, which counts, and one of padding. */
const noteName = Buffer.from('VMCOREINFO\0\0')
const noteNameSize = 11

/** Bytes from the start of the note to its text. */
export const vmcoreinfoTextOffset = noteHeaderSize + noteName.length
/** VMCOREINFO_BYTES: one page, which is 64 KiB on Power. */
export const maxVmcoreinfoSize = 64 * KiB

/** VMCOREINFO_NOTE_SIZE: the note, a page of text, and the empty note that ends it. */
export const vmcoreinfoNoteSize = (pageSize: number): number =>
  vmcoreinfoTextOffset + pageSize + noteHeaderSize

/** Does a note with that name start at `at` of `bytes`? */
export const startsVmcoreinfoNote = (bytes: Uint8Array, at: number): boolean =>
  hasBytes(bytes, at + noteHeaderSize, noteName)

/** Is it the text itself, and not the format that it was printed with (`OSRELEASE=%s`)? */
export const isVmcoreinfo = (text: string): boolean =>
  /^OSRELEASE=\d/.test(text) && text.includes('\nPAGESIZE=')

/** Text of the note at `address`; undefined when no such note is there. @throws {FaultError} */
export function readVmcoreinfoNote(
  memory: Pick<PhysicalMemory, 'read'>,
  address: PhysAddr,
  littleEndian: boolean,
): string | undefined {
  const head = new Uint8Array(vmcoreinfoTextOffset)
  memory.read(address, head)
  const view = new DataView(head.buffer)
  const textSize = view.getUint32(4, littleEndian)
  if (view.getUint32(0, littleEndian) !== noteNameSize || !startsVmcoreinfoNote(head, 0)) return undefined
  if (textSize > maxVmcoreinfoSize) return undefined
  const bytes = Buffer.alloc(textSize)
  memory.read(address + vmcoreinfoTextOffset, bytes)
  const text = bytes.toString('latin1').replace(/\0.*$/s, '')
  return isVmcoreinfo(text) ? text : undefined
}
