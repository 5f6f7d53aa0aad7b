// The machine image file: two state slots written alternately, then RAM. The contract of this file;
// docs/machine-image.md draws the bytes.

import type { ByteSource } from '../../core/byte-source.ts'
import type { Ranges } from '../../core/ranges.ts'
import type { MachineState } from './state.ts'

/** RAM of the machine by physical address. */
export interface MachineRam {
  readonly ranges: Ranges
  /** @throws {FaultError} 'hole' where there is no RAM. */
  read(address: number, into: Uint8Array): void
  /** @throws {FaultError} 'hole' where there is no RAM. */
  write(address: number, bytes: Uint8Array): void
  /** Copy RAM to RAM, ranges not overlapping; zero pages of the source become holes of the file where they can. */
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
  /** Sync RAM, write the other slot, sync. After a kill the state is the old or the new one, whole. */
  update(state: MachineState, deviceTree?: Uint8Array): void
  /** RAM as a source whose offsets are physical addresses; holes read as zeros. */
  ramSource(): ByteSource
}
