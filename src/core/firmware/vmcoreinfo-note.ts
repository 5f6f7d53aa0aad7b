// The VMCOREINFO note in the kernel's memory: an ELF note in a page of its own, and the text it was made
// of in another. A crash adds the line CRASHTIME to both.
// Source: Linux kernel/vmcore_info.c (crash_save_vmcoreinfo, update_vmcoreinfo_note).

import { Cursor } from '../cursor.ts'
import type { MemoryWrite } from '../kernel/printk-writer.ts'
import type { Machine } from './index.ts'
import { kernelAbi } from './pt-regs.ts'

const noteName = 'VMCOREINFO\0\0'
/** With one NUL; the other pads it to a multiple of 4. */
const noteNameSize = 11
/** u32 namesz, descsz, type, then the name. */
const textOffset = 12 + noteName.length

export interface VmcoreinfoNote {
  /** Physical address of the note. */
  readonly address: number
  readonly text: string
}

/** The note the machine's state points to; undefined when memory holds none there. */
export function readVmcoreinfoNote({ state, ram }: Machine): VmcoreinfoNote | undefined {
  const place = state.kernel.vmcoreinfo
  if (place === undefined || place.size < textOffset) return undefined
  const bytes = new Uint8Array(Math.min(place.size, textOffset + state.pageSize))
  ram.read(place.address, bytes)
  const cursor = new Cursor(bytes, kernelAbi.littleEndian, { file: 'VMCOREINFO note', base: place.address })
  const nameSize = cursor.u32()
  const textSize = cursor.u32()
  cursor.skip(4)
  const name = Buffer.from(cursor.take(noteName.length)).toString('latin1')
  if (nameSize !== noteNameSize || name !== noteName || textSize > cursor.remaining) return undefined
  return { address: place.address, text: Buffer.from(cursor.take(textSize)).toString('latin1') }
}

/** What is written when the kernel dies at `time`, seconds since 1970. */
export function stampCrashTime(machine: Machine, note: VmcoreinfoNote, time: number): MemoryWrite[] {
  // Memory that comes from a crash has the line already.
  const text = `${note.text.replace(/^CRASHTIME=.*\n/m, '')}CRASHTIME=${time}\n`
  const size = new DataView(new ArrayBuffer(4))
  size.setUint32(0, text.length, kernelAbi.littleEndian)
  const writes = [
    { address: note.address + 4, bytes: new Uint8Array(size.buffer) },
    { address: note.address + textOffset, bytes: Buffer.from(text, 'latin1') },
  ]
  const original = findText(machine, note)
  if (original !== undefined) writes.push({ address: original, bytes: Buffer.from(text, 'latin1') })
  return writes
}

/** The page the note was copied from, looked for in boot memory only. */
function findText({ state, ram }: Machine, note: VmcoreinfoNote): number | undefined {
  const wanted = Buffer.from(note.text, 'latin1')
  const start = Buffer.alloc(wanted.length)
  for (const { address, size } of state.fadump?.bootMemoryRegions ?? []) {
    for (let at = address; at + wanted.length <= address + size; at += state.pageSize) {
      ram.read(at, start.subarray(0, 16))
      if (!start.subarray(0, 16).equals(wanted.subarray(0, 16))) continue
      ram.read(at, start)
      if (start.equals(wanted)) return at
    }
  }
  return undefined
}
