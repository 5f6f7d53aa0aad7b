// VMCOREINFO of a dump without its note: a running kernel keeps the note it would export, and the text
// it is made of, each at the start of a page. Reads all memory, or as much as `searchLimit`.
// Source: Linux kernel/vmcore_info.c.

import type { Dump } from '../../formats/dump.ts'
import { replaceVmcoreinfo } from '../../formats/elf/notes.ts'
import { GiB, KiB, MiB } from '../address.ts'
import { hasBytes } from '../bytes.ts'
import { FaultError, tryRead } from '../errors.ts'
import type { PhysicalMemory } from '../memory/physical.ts'
import {
  isVmcoreinfo,
  maxVmcoreinfoSize,
  readVmcoreinfoNote,
  startsVmcoreinfoNote,
} from './vmcoreinfo-note.ts'

export interface FoundVmcoreinfo {
  readonly text: string
  /** Physical address of the note or the text. */
  readonly address: number
}

/** The page size is not known yet; this divides all. */
const step = 4 * KiB
const chunkSize = MiB
/** The kernel allocates both early, from low memory on. */
const searchLimit = 64 * GiB
const textStart = Buffer.from('OSRELEASE=')

/**
 * The dump with a VMCOREINFO note made of what its memory holds, when it has none: QEMU writes none for
 * machines without a vmcoreinfo device. The dump as it is when there is nothing to be found.
 */
export function withVmcoreinfo(dump: Dump): Dump {
  const found = dump.vmcoreinfo === undefined ? searchVmcoreinfo(dump) : undefined
  if (found === undefined) return dump
  return { ...dump, vmcoreinfo: found.text, ...replaceVmcoreinfo(dump, found.text) }
}

/** The note first: it may have what was added at the crash. Undefined when there is neither. */
export function searchVmcoreinfo(dump: Dump): FoundVmcoreinfo | undefined {
  let text: FoundVmcoreinfo | undefined
  for (const { address, bytes } of chunks(dump)) {
    for (let at = 0; at < bytes.length; at += step) {
      if (startsVmcoreinfoNote(bytes, at)) {
        const found = readNote(dump, address + at)
        if (found !== undefined) return found
      } else if (text === undefined && hasBytes(bytes, at, textStart)) {
        text = readText(dump, address + at)
      }
    }
  }
  return text
}

/** What the dump holds of memory, in pieces that begin at a step; the bytes are used again for the next. */
function* chunks({ memory }: Dump): Generator<{ address: number; bytes: Uint8Array }> {
  const stored = memory.storedPages(step)
  const end = Math.min(stored.length, searchLimit / step)
  const buffer = new Uint8Array(chunkSize)
  let most = chunkSize / step
  for (let page = stored.next(0); page >= 0 && page < end; ) {
    const count = Math.min(stored.nextClear(page) - page, most)
    const address = page * step
    const bytes = buffer.subarray(0, count * step)
    const isRead = readInto(memory, address, bytes)
    if (isRead) yield { address, bytes }
    // A page that is stored only in part spoils its chunk: the pages beside it are read one by one.
    most = isRead || count === 1 ? chunkSize / step : 1
    if (isRead || count === 1) page = stored.next(page + count)
  }
}

function readInto(memory: PhysicalMemory, address: number, into: Uint8Array): boolean {
  try {
    memory.read(address, into)
    return true
  } catch (error) {
    if (error instanceof FaultError) return false
    throw error
  }
}

function readNote({ memory, abi }: Dump, address: number): FoundVmcoreinfo | undefined {
  const text = tryRead(() => readVmcoreinfoNote(memory, address, abi.littleEndian))
  return text === undefined ? undefined : { text, address }
}

/** The kernel's own copy ends at a NUL, at the latest with its page. */
function readText({ memory }: Dump, address: number): FoundVmcoreinfo | undefined {
  const piece = new Uint8Array(step)
  let text = ''
  while (text.length < maxVmcoreinfoSize && readInto(memory, address + text.length, piece)) {
    const end = piece.indexOf(0)
    text += Buffer.from(end < 0 ? piece : piece.subarray(0, end)).toString('latin1')
    if (end >= 0) break
  }
  return isVmcoreinfo(text) ? { text, address } : undefined
}
