// Parameters for the capture kernel alone: a NUL-terminated string in memory that kernel and firmware
// leave in place. Source: Linux arch/powerpc/kernel/fadump.c (bootargs_append_store, _show).

import type { FadumpConfig, MachineState } from '../../formats/machine-image/state.ts'
import { RefusedError } from '../errors.ts'
import type { Machine } from './index.ts'

/**
 * The parameter area after `echo TEXT > /sys/kernel/fadump/bootargs_append`.
 * @throws {RefusedError} ENOENT without an area, EINVAL and ENOSPC when the text is too long.
 */
export function makeParameterArea(state: MachineState, config: FadumpConfig, text: string): Uint8Array {
  const { commandLineSize } = state.kernel
  const bytes = Buffer.from(text)
  // echo sends a newline, the kernel counts it and takes it away.
  const count = bytes.length + 1
  if (config.parameterArea === undefined) {
    throw new RefusedError('bootargs_append: the kernel has no area for additional parameters', {
      errno: 'ENOENT',
      hint: 'the file exists on RTAS firmware only, and with the hash MMU only if the real-mode area has 768 MiB',
    })
  }
  if (count >= commandLineSize) {
    throw new RefusedError(`bootargs_append: ${count} bytes are too many`, {
      errno: 'EINVAL',
      hint: `less than ${commandLineSize} bytes, the newline included, can be appended`,
    })
  }
  if (Buffer.byteLength(state.commandLine) + count >= commandLineSize) {
    throw new RefusedError('fadump: Appending parameters exceeds cmdline size!', {
      errno: 'ENOSPC',
      hint: `command line and additional parameters share ${commandLineSize} bytes`,
    })
  }
  const area = new Uint8Array(commandLineSize)
  area.set(bytes)
  return area
}

/** Text of the parameter area; empty without one. */
export function readParameterArea(ram: Machine['ram'], area: number | undefined, size: number): string {
  if (area === undefined) return ''
  const bytes = Buffer.alloc(size)
  ram.read(area, bytes)
  const end = bytes.indexOf(0)
  return bytes.subarray(0, end < 0 ? size : end).toString()
}
