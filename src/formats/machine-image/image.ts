// The machine image file: two state slots written alternately, then RAM. docs/machine-image.md draws the
// bytes. What is written to RAM before update() is on the disk before the state that speaks of it.

import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { type ByteSource, FileSource } from '../../core/byte-source.ts'
import { FormatError, type Warning } from '../../core/errors.ts'
import { OutputFile, type OutputOptions, writeFailure } from '../../core/output-file.ts'
import { type Ranges, totalSize } from '../../core/ranges.ts'
import { nonZeroRuns } from '../../core/sparse.ts'
import { ramOffset, slotCount } from './layout.ts'
import { lockMachine } from './lock.ts'
import { type ImageWriter, openRam, ramAsSource } from './ram.ts'
import { readSlots, type Slot, writeSlot } from './slots.ts'
import type { MachineState } from './state.ts'

/** RAM of the machine by physical address. */
export interface MachineRam {
  readonly ranges: Ranges
  /** @throws {FaultError} 'hole' where there is no RAM. */
  read(address: number, into: Uint8Array): void
  /** @throws {FaultError} 'hole' where there is no RAM; then nothing is written. */
  write(address: number, bytes: Uint8Array): void
  /**
   * Copy RAM to RAM, ranges not overlapping. Writes only blocks that differ, so zeros leave holes of
   * the file alone and repeating a copy writes nothing. @throws {FaultError} 'hole'.
   */
  copy(source: number, destination: number, length: number): void
  /** Make what was written durable. */
  sync(): void
}

export interface MachineImage extends Disposable {
  readonly path: string
  readonly state: MachineState
  /** Device tree of the current boot, a flattened blob. */
  readonly deviceTree: Uint8Array
  readonly ram: MachineRam
  /** Which slot was read; `damaged` says why the other was not, undefined when it is good. */
  readonly slot: { readonly sequence: number; readonly damaged: string | undefined }
  /** The same for people: the state is whole, but one day the other slot will be needed. */
  readonly warnings: readonly Warning[]
  /** Sync RAM, write the other slot, sync. After a kill the state is the old or the new one, whole. */
  update(state: MachineState, deviceTree?: Uint8Array): void
  /** RAM as a source whose offsets are physical addresses; holes read as zeros. */
  ramSource(): ByteSource
}

export interface OpenOptions {
  /** Take the lock and allow ram.write, ram.copy and update. */
  readonly write?: boolean
}

/**
 * Open a machine. Close it (`using`).
 * @throws {FormatError} not a machine image, cut short, or both slots damaged.
 * @throws {RefusedError} opened for writing and another process has it.
 */
export function openMachineImage(path: string, options: OpenOptions = {}): MachineImage {
  const open: Disposable[] = []
  const keep = <T extends Disposable>(resource: T): T => {
    open.push(resource)
    return resource
  }
  const close = (): void => {
    for (const resource of open.splice(0).reverse()) resource[Symbol.dispose]()
  }
  try {
    const isWriter = options.write === true && existsSync(path)
    // Before the file is opened: create -f may put another file in its place until then.
    if (isWriter) keep(lockMachine(path))
    const file = keep(new FileSource(path))
    return openImage(file, isWriter ? keep(openWriter(path)) : undefined, close)
  } catch (error) {
    close()
    throw error
  }
}

/** A machine to read, out of bytes that are open already. Takes over the source. */
export const readMachineImage = (source: ByteSource): MachineImage =>
  openImage(source, undefined, () => source[Symbol.dispose]())

function openImage(file: ByteSource, writer: ImageWriter | undefined, close: () => void): MachineImage {
  let { slot, damaged } = readSlots(file)
  checkSize(file, slot)
  const ram = openRam(file, writer, slot.state.memory)
  const path = file.name
  return {
    path,
    ram,
    get state() {
      return slot.state
    },
    get deviceTree() {
      return slot.deviceTree
    },
    get slot() {
      return { sequence: slot.sequence, damaged }
    },
    get warnings() {
      return damaged === undefined ? [] : [slotWarning(damaged)]
    },
    update(state, deviceTree = slot.deviceTree) {
      if (writer === undefined) throw new Error(`${path}: opened for reading only`)
      const next = {
        index: (slot.index + 1) % slotCount,
        sequence: slot.sequence + 1,
        state,
        deviceTree,
      }
      const parts = writeSlot(next, path)
      writer.sync()
      for (const { offset, bytes } of parts) writer.write(offset, bytes)
      writer.sync()
      slot = next
      damaged = undefined
    },
    ramSource: () => ramAsSource(ram, path),
    [Symbol.dispose]: close,
  }
}

const slotWarning = (damaged: string): Warning => ({
  code: 'SLOT_DAMAGED',
  message: `${damaged} is wrong; using the other state slot`,
})

function checkSize(file: ByteSource, { state }: Slot): void {
  const size = ramOffset + totalSize(state.memory)
  if (file.size >= size) return
  throw new FormatError({
    file: file.name,
    offset: file.size,
    field: 'RAM ends too early',
    expected: `a file of ${size} bytes`,
    found: `${file.size} bytes`,
    hint: 'the copy may be cut short; compare its size with the original',
  })
}

/** What a new machine starts with. */
export interface NewMachine {
  readonly state: MachineState
  readonly deviceTree: Uint8Array
}

/** Puts bytes at a physical address of a new machine; zeros need not be put and take no room. */
export type PutMemory = (address: number, bytes: Uint8Array) => void

/**
 * Write a machine image; it is there whole or not at all. `make` puts the memory there first and then
 * says what the machine is, with the same ranges as `memory`.
 * @throws {TargetError} it exists already and `force` is not given, or the disk is full.
 * @throws {RefusedError} it exists and another process has it.
 */
export async function createMachineImage(
  path: string,
  memory: Ranges,
  make: (put: PutMemory) => NewMachine | Promise<NewMachine>,
  options: OutputOptions = {},
): Promise<NewMachine> {
  using _lock = lockMachine(path)
  using output = new OutputFile(path, options)
  function putSparse(offset: number, bytes: Uint8Array): void {
    for (const { start, end } of nonZeroRuns(bytes)) output.write(offset + start, bytes.subarray(start, end))
  }
  const ram = openRam(emptySource(path), { write: putSparse, sync() {} }, memory)
  output.truncate(ramOffset + totalSize(memory))
  const machine = await make(ram.write)
  for (let index = 0; index < slotCount; index++) {
    for (const { offset, bytes } of writeSlot({ index, sequence: slotCount - index, ...machine }, path)) {
      output.write(offset, bytes)
    }
  }
  output.commit()
  return machine
}

const emptySource = (name: string): ByteSource => ({ name, size: 0, read: () => 0, [Symbol.dispose]() {} })

function openWriter(path: string): ImageWriter & Disposable {
  const attempt = <T>(work: () => T): T => {
    try {
      return work()
    } catch (cause) {
      throw writeFailure(
        path,
        cause,
        0,
        'free some space and run the command again; the machine is as it was',
      )
    }
  }
  const fd = attempt(() => openSync(path, 'r+'))
  return {
    write: (offset, bytes) =>
      attempt(() => {
        for (let done = 0; done < bytes.length; ) {
          done += writeSync(fd, bytes, done, bytes.length - done, offset + done)
        }
      }),
    sync: () => attempt(() => fsyncSync(fd)),
    [Symbol.dispose]: () => closeSync(fd),
  }
}
