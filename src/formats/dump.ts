// What a dump is to everything above the formats: memory, notes, VMCOREINFO, and what the container
// itself knows. A format gives values it read; nothing here is guessed.

import type { ByteSource } from '../core/byte-source.ts'
import type { Warning } from '../core/errors.ts'
import type { PageEdits } from '../core/memory/page-edits.ts'
import type { PhysicalMemory } from '../core/memory/physical.ts'
import type { Ranges } from '../core/ranges.ts'
import type { Abi } from '../core/struct.ts'
import type { Note } from './elf/notes.ts'
import type { LostMemory } from './lost.ts'

export interface LoadSegment {
  /** Bytes of physical memory, from `physical`. */
  readonly physical: number
  readonly memorySize: number
  /** Bytes that are in the file; the rest was left out, or is lost when the file was cut short. */
  readonly fileSize: number
  /** Where they start in the file. */
  readonly offset: number
  /** As the kernel exported it; equal to `physical` in hypervisor dumps, so proof of nothing. */
  readonly virtual: bigint
  readonly flags: number
  readonly align: number
}

/** struct new_utsname, six strings. */
export interface Utsname {
  readonly sysname: string
  readonly nodename: string
  readonly release: string
  readonly version: string
  readonly machine: string
  readonly domainname: string
}

export interface Dump extends Disposable {
  /** Name of the format as users know it: `elf`, `kdump`; with `flattened` true for a stream form. */
  readonly format: 'elf' | 'kdump'
  /** What the bytes came in: a plain file, a flattened stream, a machine image in capture state. */
  readonly container: 'file' | 'flattened' | 'machine'
  /** For messages. */
  readonly name: string
  /**
   * What openDump takes to open the same dump again in another thread, while this one is open; standard
   * input has such a path too. Undefined for bytes in memory.
   */
  readonly paths: readonly string[] | undefined
  /** ELF e_machine of the dumped machine. kdump files carry it as utsname.machine. */
  readonly elfMachine: number
  readonly abi: Abi
  readonly memory: PhysicalMemory
  /** Page size the container states (kdump block size); ELF says nothing, VMCOREINFO does. */
  readonly pageSize: number | undefined
  /** All ELF notes, in file order, and the same verbatim. */
  readonly notes: readonly Note[]
  readonly noteBytes: Uint8Array
  /** Text of the VMCOREINFO note, undefined when there is none. */
  readonly vmcoreinfo: string | undefined
  /** PT_LOADs of known physical address in file order; empty for kdump files. */
  readonly segments: readonly LoadSegment[]
  /** e_flags of an ELF dump; kept because ppc64le carries its ABI there. */
  readonly elfFlags: number
  /** What a kdump header says of how the file was made. */
  readonly kdump: KdumpFacts | undefined
  /** What earlier filters erased from it, a line each (makedumpfile's eraseinfo); empty when nothing. */
  readonly eraseInfo: string
  /** What is erased now: `memory` reads so already. */
  readonly erased?: Erased
  /**
   * The dump's own bytes, its container unwrapped: for what stands between segments (the kernel rounds
   * them outwards to whole pages in the file) and for bit-exact copies. Closed with the dump.
   */
  readonly source: ByteSource
  /** Memory that the dump should hold and does not; nothing for most dumps. Takes a pass over an index. */
  readonly lost: () => LostMemory
  /** Damage that did not stop the opening. */
  readonly warnings: readonly Warning[]
}

export interface Erased {
  readonly edits: PageEdits
  readonly parts: readonly ErasedPart[]
}

export interface ErasedPart {
  /** As the configuration has it. */
  readonly expression: string
  /** A pointer that was set to NULL, not data that were overwritten. */
  readonly nullified: boolean
  /** Physical addresses. */
  readonly ranges: Ranges
}

/** Does a reader's warning mean that memory is missing which the dump should have? */
export const isLoss = ({ code }: Warning): boolean => lossCodes.has(code)

const lossCodes: ReadonlySet<string> = new Set(['TRUNCATED', 'INCOMPLETE', 'DAMAGED'])

export interface KdumpFacts {
  readonly headerVersion: number
  readonly dumpLevel: number
  /** Number of page frames the bitmaps cover. */
  readonly maxMapnr: number
  /** DUMP_DH_COMPRESSED_* and INCOMPLETE bits. */
  readonly status: number
  readonly utsname: Utsname
  /** Seconds since 1970, 0 when unknown. */
  readonly crashTime: number
  readonly cpuCount: number
  readonly physBase: bigint
}
