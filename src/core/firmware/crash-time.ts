// A crash adds the line CRASHTIME to VMCOREINFO: to the note that the kernel exports, and to the text in
// another page that the note is made of.
// Source: Linux kernel/vmcore_info.c (crash_save_vmcoreinfo, update_vmcoreinfo_note).

import type { MemoryWrite } from '../kernel/printk-writer.ts'
import { readVmcoreinfoNote, vmcoreinfoTextOffset } from '../kernel/vmcoreinfo-note.ts'
import type { Machine } from './index.ts'
import { kernelAbi } from './pt-regs.ts'

export interface VmcoreinfoNote {
  /** Physical address of the note. */
  readonly address: number
  readonly text: string
}

/** The note the machine's state points to; undefined when memory holds none there. @throws {FaultError} */
export function findVmcoreinfoNote({ state, ram }: Machine): VmcoreinfoNote | undefined {
  const place = state.kernel.vmcoreinfo
  if (place === undefined) return undefined
  const text = readVmcoreinfoNote(ram, place.address, kernelAbi.littleEndian)
  const isInside = text !== undefined && vmcoreinfoTextOffset + text.length <= place.size
  return isInside ? { address: place.address, text } : undefined
}

/** What is written when the kernel dies at `time`, seconds since 1970. */
export function stampCrashTime(machine: Machine, note: VmcoreinfoNote, time: number): MemoryWrite[] {
  // Memory that comes from a crash has the line already. The text has one page; the kernel cuts it off there.
  const text = `${note.text.replace(/^CRASHTIME=.*\n/m, '')}CRASHTIME=${time}\n`.slice(
    0,
    machine.state.pageSize,
  )
  const size = new DataView(new ArrayBuffer(4))
  size.setUint32(0, text.length, kernelAbi.littleEndian)
  const writes = [
    { address: note.address + 4, bytes: new Uint8Array(size.buffer) },
    { address: note.address + vmcoreinfoTextOffset, bytes: Buffer.from(text, 'latin1') },
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
