// Is the header that the crashed kernel left one this kernel can use? Only the magic and the sizes of its
// variable parts count; another version of the kernel may take the dump.
// Source: Linux arch/powerpc/kernel/fadump.c (is_fadump_header_compatible).

import {
  type CrashInfo,
  cpuMaskSize,
  crashInfoHeader,
  crashInfoMagic,
  crashInfoSize,
  oldCrashInfoMagic,
  parseCrashInfo,
} from '../../formats/fdh.ts'
import { Cursor } from '../cursor.ts'
import { FaultError, RefusedError } from '../errors.ts'
import type { Machine } from '../firmware/index.ts'
import { kernelAbi } from '../firmware/pt-regs.ts'

/**
 * @throws {RefusedError} in the kernel's words when it refuses the dump.
 * @throws {FormatError} an address in it is absurd.
 */
export function readCrashInfo({ state, ram }: Machine, address: number): CrashInfo {
  if (address === 0) throw refuse('Crash info header is empty.')
  const bytes = new Uint8Array(crashInfoSize(state.kernel, kernelAbi))
  try {
    ram.read(address, bytes)
  } catch (cause) {
    if (!(cause instanceof FaultError)) throw cause
    throw refuse('Fadump header is corrupted.', cause)
  }
  checkMagic(bytes)
  const header = crashInfoHeader.parse(bytes, kernelAbi, { file: 'memory', base: address })
  const hasOurSizes =
    header.ptRegsSize === state.kernel.ptRegsSize && header.cpuMaskSize === cpuMaskSize(state.kernel.maxCpus)
  if (!hasOurSizes) throw refuse('Fadump header size mismatch.')
  return parseCrashInfo(bytes, kernelAbi, 'memory')
}

function checkMagic(bytes: Uint8Array): void {
  const { littleEndian } = kernelAbi
  const magic = new Cursor(bytes, littleEndian, { file: 'memory' }).big64()
  if (magic === crashInfoMagic) return
  if (magic === oldCrashInfoMagic) throw refuse("Old magic number, can't process the dump.")
  const swapped = new Cursor(bytes, !littleEndian, { file: 'memory' }).big64()
  if (swapped === crashInfoMagic) {
    throw refuse('Endianness mismatch between the crashed and fadump kernels.')
  }
  throw refuse('Fadump header is corrupted.')
}

const refuse = (text: string, cause?: unknown): RefusedError => new RefusedError(`fadump: ${text}`, { cause })
