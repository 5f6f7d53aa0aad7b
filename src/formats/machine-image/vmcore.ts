// A machine that runs its capture kernel, as its /proc/vmcore: an ELF core whose header and notes are
// merged from the kernel's elfcorehdr in memory, and whose data is memory, read on demand. Page rounding
// puts bytes into the file that belong to no segment; the crash info header is among them.
// Source: Linux fs/proc/vmcore.c.

import { alignDown, alignUp, hex } from '../../core/address.ts'
import type { ByteSource } from '../../core/byte-source.ts'
import { FormatError, RefusedError } from '../../core/errors.ts'
import { type ElfHeaders, readElfHeaders } from '../elf/headers.ts'
import { elfAbi, elfHeader, type ProgramHeader, programHeader64, programTypes } from '../elf/layout.ts'
import { noteHeaderSize } from '../elf/notes.ts'
import type { MachineImage } from './image.ts'

/** One stretch of the file. */
interface Part {
  readonly start: number
  readonly end: number
  /** The bytes, or the physical address at which they are read. */
  readonly from: Uint8Array | number
}

/** Notes of thousands of CPUs are a few MiB. */
const maxNoteBytes = 256 * 2 ** 20

/**
 * @throws {RefusedError} the machine is at another stage.
 * @throws {FormatError} the header in memory is damaged.
 */
export function openVmcore(image: MachineImage): ByteSource {
  const { capture, pageSize } = image.state
  if (capture === undefined) {
    throw new RefusedError(`${image.path}: the machine has no dump to read`, {
      hint: `its stage is ${image.state.stage}; a dump can be read after fadump boot-capture`,
    })
  }
  const memory = image.ramSource()
  const headerSize = Math.min(capture.elfcorehdrSize, memory.size)
  const header = readElfHeaders(window(memory, capture.elfcorehdrAddress, headerSize))
  checkPlaces(header, memory, pageSize)
  const parts = layOut(header, readNotes(memory, header), pageSize)
  return {
    name: image.path,
    size: parts.at(-1)?.end ?? 0,
    read(offset, into) {
      let done = 0
      for (const part of parts) {
        const at = offset + done
        if (at < part.start || at >= part.end) continue
        const length = Math.min(part.end - at, into.length - done)
        readPart(memory, part, at - part.start, into.subarray(done, done + length))
        done += length
        if (done === into.length) break
      }
      return done
    },
    [Symbol.dispose]: () => memory[Symbol.dispose](),
  }
}

/** Notes and data in memory: what lies behind its end would read as zeros. */
function checkPlaces({ programs }: ElfHeaders, memory: ByteSource, pageSize: number): void {
  const end = alignUp(memory.size, pageSize)
  const problem = (field: string, expected: string, found: string): FormatError =>
    new FormatError({ file: memory.name, field: `ELF core header in memory, ${field}`, expected, found })
  let noteBytes = 0
  for (const { type, offset, memorySize } of programs) {
    if (type === programTypes.note) noteBytes += memorySize
    else if (type === programTypes.load && offset + memorySize > end) {
      throw problem(
        'PT_LOAD',
        `a part of memory (up to ${hex(end)})`,
        `${memorySize} bytes at ${hex(offset)}`,
      )
    }
  }
  if (noteBytes > maxNoteBytes)
    throw problem('PT_NOTE, p_memsz', `at most ${maxNoteBytes} bytes`, `${noteBytes}`)
}

/** Part of a source as a source of its own. */
const window = (source: ByteSource, start: number, size: number): ByteSource => ({
  name: source.name,
  size,
  read: (offset, into) =>
    offset >= size ? 0 : source.read(start + offset, into.subarray(0, Math.min(into.length, size - offset))),
  [Symbol.dispose]() {},
})

function readPart(memory: ByteSource, { from }: Part, offset: number, into: Uint8Array): void {
  if (typeof from !== 'number') into.set(from.subarray(offset, offset + into.length))
  // Behind the end of memory there is nothing: rounding may ask for it.
  else into.fill(0, memory.read(from + offset, into))
}

/** All notes behind one another: each PT_NOTE up to its empty note or its end. */
function readNotes(memory: ByteSource, { programs, abi }: ElfHeaders): Uint8Array {
  const parts = programs
    .filter(({ type }) => type === programTypes.note)
    .map(({ offset, memorySize }) => {
      const bytes = new Uint8Array(memorySize)
      memory.read(offset, bytes)
      return bytes.subarray(0, usedNoteBytes(bytes, abi.littleEndian))
    })
  return Buffer.concat(parts)
}

function usedNoteBytes(bytes: Uint8Array, littleEndian: boolean): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let used = 0
  while (used + noteHeaderSize <= bytes.length) {
    const nameSize = view.getUint32(used, littleEndian)
    const size = noteHeaderSize + alignUp(nameSize, 4) + alignUp(view.getUint32(used + 4, littleEndian), 4)
    if (nameSize === 0 || used + size > bytes.length) break
    used += size
  }
  return used
}

/** The file: header and one note segment, then whole pages of memory for each segment. */
function layOut({ header, programs }: ElfHeaders, notes: Uint8Array, pageSize: number): Part[] {
  const rest = programs.filter(({ type }) => type !== programTypes.note)
  const abi = elfAbi(true, header.ident[5] === 1)
  const headerBytes = elfHeader.layout(abi).size + (rest.length + 1) * programHeader64.layout(abi).size
  const notesAt = alignUp(headerBytes, pageSize)
  let at = notesAt + alignUp(notes.length, pageSize)
  const note: Partial<ProgramHeader> = {
    type: programTypes.note,
    offset: notesAt,
    fileSize: notes.length,
    memorySize: notes.length,
    align: 4,
  }
  const data: Part[] = []
  const moved = rest.map((program) => {
    if (program.type !== programTypes.load) return program
    const start = alignDown(program.offset, pageSize)
    const end = alignUp(program.offset + program.memorySize, pageSize)
    data.push({ start: at, end: at + end - start, from: start })
    at += end - start
    return { ...program, offset: at - end + program.offset }
  })
  const head = Buffer.concat([
    elfHeader.write({ ...header, programCount: moved.length + 1 }, abi),
    ...[note, ...moved].map((program) => programHeader64.write(program, abi)),
  ])
  return [
    { start: 0, end: notesAt, from: padded(head, notesAt) },
    { start: notesAt, end: data[0]?.start ?? at, from: padded(notes, alignUp(notes.length, pageSize)) },
    ...data,
  ]
}

function padded(bytes: Uint8Array, size: number): Uint8Array {
  const whole = new Uint8Array(size)
  whole.set(bytes)
  return whole
}
