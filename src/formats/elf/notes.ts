// ELF notes: u32 namesz, descsz, type, then name and desc, each padded to 4 bytes. The kernel ends a
// list with a zero header; makedumpfile reads on past one, and so do we (spec: elf_info.c).

import { Cursor } from '../../core/cursor.ts'
import type { Abi } from '../../core/struct.ts'

export interface Note {
  /** Without the NUL: `CORE`, `VMCOREINFO`, `QEMU`, … */
  readonly name: string
  readonly type: number
  readonly desc: Uint8Array
  /** Where the desc starts, bytes into the note area. */
  readonly descOffset: number
}

/** n_namesz, n_descsz and n_type: 32 bits each, in both classes. */
export const noteHeaderSize = 12

/** n_type values used in vmcores (elf.h, vmcore_info.h). */
export const noteTypes = { prstatus: 1, vmcoreinfo: 0, eraseInfo: 0 } as const

/** Some notes each of more CPUs than Linux supports. */
const maxNotes = 2 ** 18

/**
 * Read all notes of a note area; stops where the area ends too early, which a cut dump may do.
 * @throws {FormatError} more notes than any machine has
 */
export function parseNotes(bytes: Uint8Array, littleEndian: boolean, file: string): Note[] {
  const cursor = new Cursor(bytes, littleEndian, { file, what: 'ELF note' })
  const notes: Note[] = []
  while (cursor.remaining >= noteHeaderSize) {
    const nameSize = cursor.u32()
    const descSize = cursor.u32()
    const type = cursor.u32()
    const nameBytes = align4(nameSize)
    if (nameBytes + descSize > cursor.remaining) break
    const name = Buffer.from(cursor.take(nameBytes).subarray(0, nameSize))
      .toString('latin1')
      .replace(/\0.*$/s, '')
    const descOffset = cursor.position
    const desc = cursor.take(descSize)
    cursor.align(4)
    if (nameSize === 0) continue
    if (notes.length === maxNotes)
      throw cursor.problem('number of notes', { expected: `at most ${maxNotes}` })
    notes.push({ name, type, desc, descOffset })
  }
  return notes
}

/** Registers of a CPU, by the kernel or QEMU. */
export const isPrstatus = ({ name, type }: Note): boolean => name === 'CORE' && type === noteTypes.prstatus

const isVmcoreinfo = ({ name, type }: Note): boolean => name === 'VMCOREINFO' && type === noteTypes.vmcoreinfo

export const findVmcoreinfoNote = (notes: readonly Note[]): Note | undefined => notes.find(isVmcoreinfo)

/** Text of the VMCOREINFO note; a kernel may pad it with NULs. */
export function findVmcoreinfo(notes: readonly Note[]): string | undefined {
  const note = findVmcoreinfoNote(notes)
  return note === undefined ? undefined : Buffer.from(note.desc).toString('latin1').replace(/\0.*$/s, '')
}

/** A VMCOREINFO note; `text` as findVmcoreinfo gives it. */
export const writeVmcoreinfo = (text: string, littleEndian: boolean): Uint8Array =>
  writeNote('VMCOREINFO', noteTypes.vmcoreinfo, Buffer.from(text, 'latin1'), littleEndian)

const isEraseInfo = ({ name, type }: Note): boolean => name === 'ERASEINFO' && type === noteTypes.eraseInfo

/** What makedumpfile or we erased, a line each; empty when nothing. Padded with NULs. */
export const findEraseInfo = (notes: readonly Note[]): string =>
  notes
    .filter(isEraseInfo)
    .map(({ desc }) => Buffer.from(desc).toString('latin1').replace(/\0.*$/s, ''))
    .join('')

/** The note area with one such note of `text`, or none when it is empty; otherwise as it was. */
export const replaceEraseInfo = (noteBytes: Uint8Array, text: string, littleEndian: boolean): Uint8Array =>
  replaceNotes(
    noteBytes,
    isEraseInfo,
    text === ''
      ? undefined
      : writeNote('ERASEINFO', noteTypes.eraseInfo, Buffer.from(text, 'latin1'), littleEndian),
    littleEndian,
  )

/** The notes with this VMCOREINFO for any other, and the same verbatim. */
export function replaceVmcoreinfo(
  { noteBytes, abi, name }: { readonly noteBytes: Uint8Array; readonly abi: Abi; readonly name: string },
  text: string,
): { readonly noteBytes: Uint8Array; readonly notes: readonly Note[] } {
  const note = writeVmcoreinfo(text, abi.littleEndian)
  const bytes = replaceNotes(noteBytes, isVmcoreinfo, note, abi.littleEndian)
  return { noteBytes: bytes, notes: parseNotes(bytes, abi.littleEndian, name) }
}

/** The note area without the notes of a kind, and with `note` at its end. */
function replaceNotes(
  noteBytes: Uint8Array,
  isOld: (note: Note) => boolean,
  note: Uint8Array | undefined,
  littleEndian: boolean,
): Uint8Array {
  const old = parseNotes(noteBytes, littleEndian, 'notes').filter(isOld)
  if (note === undefined && old.length === 0) return noteBytes
  const kept: Uint8Array[] = []
  let from = 0
  for (const { name, desc, descOffset } of old) {
    kept.push(noteBytes.subarray(from, descOffset - align4(name.length + 1) - noteHeaderSize))
    from = align4(descOffset + desc.length)
  }
  kept.push(noteBytes.subarray(from))
  const bytes = Buffer.concat(kept)
  if (note === undefined) return bytes
  // Notes begin at multiples of four, and the last one of a source may end in between.
  const padding = new Uint8Array(align4(bytes.length) - bytes.length)
  return Buffer.concat([bytes, padding, note])
}

/** One note as bytes. */
export function writeNote(name: string, type: number, desc: Uint8Array, littleEndian: boolean): Uint8Array {
  const nameSize = name.length + 1
  const bytes = new Uint8Array(noteHeaderSize + align4(nameSize) + align4(desc.length))
  const view = new DataView(bytes.buffer)
  view.setUint32(0, nameSize, littleEndian)
  view.setUint32(4, desc.length, littleEndian)
  view.setUint32(8, type, littleEndian)
  bytes.set(Buffer.from(name, 'latin1'), noteHeaderSize)
  bytes.set(desc, noteHeaderSize + align4(nameSize))
  return bytes
}

const align4 = (n: number): number => Math.ceil(n / 4) * 4
