// Types of the dumped kernel, from its own memory. Source: Linux include/asm-generic/vmlinux.lds.h (BTF).

import { btfHeader, btfMagic } from '../../formats/btf/layout.ts'
import { Btf, maxBtfSize } from '../../formats/btf/reader.ts'
import { hex, MiB, type VirtAddr } from '../address.ts'
import { DumpError, KernelError } from '../errors.ts'
import { presentBytes } from '../memory/present-bytes.ts'
import type { Kernel } from './kernel.ts'
import { readOnlyData } from './read-only-data.ts'
import type { SymbolTable } from './symbols.ts'

/** First and last byte; the second pair before Linux commit 90ceddcb4950 (v5.7). */
const bounds = [
  ['__start_BTF', '__stop_BTF'],
  ['_binary__btf_vmlinux_bin_start', '_binary__btf_vmlinux_bin_end'],
] as const

/**
 * BTF of the kernel itself, by its symbols, or by a search where only functions have symbols.
 * @throws {KernelError} the kernel has none
 * @throws {FaultError | FormatError} it is not in the dump, or damaged
 */
export function readKernelBtf(kernel: Kernel, symbols: SymbolTable): Btf {
  for (const [first, last] of bounds) {
    const start = symbols.address(first)
    const end = symbols.address(last)
    if (start === undefined || end === undefined) continue
    return readBtf(kernel, start, Number(end - start), 'BTF of the kernel')
  }
  const found = searchBtf(kernel)
  if (found !== undefined) return found
  throw new KernelError('the kernel has no type information (BTF)', {
    hint: 'it is built with CONFIG_DEBUG_INFO_BTF=y, which most distributions have since 2020',
  })
}

/** @param base the kernel's, for a module's @throws {KernelError | FaultError | FormatError} */
export function readBtf(kernel: Kernel, address: VirtAddr, size: number, what: string, base?: Btf): Btf {
  const { memory, dump } = kernel
  if (size < 0 || size > maxBtfSize) {
    throw new KernelError(`${what} at ${hex(address)} would have ${size} bytes: damaged`)
  }
  const origin = { file: dump.name, what: `${what} at ${hex(address)}` }
  return new Btf(memory.bytes(address, size), memory.littleEndian, origin, base)
}

const chunkSize = MiB
/** Kernels have more than this; modules and copies that were cut have less. */
const leastSize = 256 * 1024

/** The largest that opens. */
function searchBtf(kernel: Kernel): Btf | undefined {
  const { memory, vmcoreinfo, arch } = kernel
  const magic = Buffer.from(btfHeader.write({ magic: btfMagic, version: 1 }, arch.abi).subarray(0, 4))
  const { start, end } = readOnlyData(vmcoreinfo)
  let best: Btf | undefined
  for (let at = start; at < end; at += BigInt(chunkSize - magic.length)) {
    const bytes = presentBytes(memory, at, chunkSize)
    for (let hit = bytes.indexOf(magic); hit >= 0; hit = bytes.indexOf(magic, hit + 1)) {
      const found = openFound(kernel, at + BigInt(hit))
      if (found !== undefined && found.end > (best?.end ?? 0)) best = found
    }
  }
  return best
}

function openFound(kernel: Kernel, address: VirtAddr): Btf | undefined {
  const { memory, arch, dump } = kernel
  const { size } = btfHeader.layout(arch.abi)
  try {
    const { headerSize, typeSize, nameOffset, nameSize } = btfHeader.parse(
      memory.bytes(address, size),
      arch.abi,
      {
        file: dump.name,
      },
    )
    const length = headerSize + nameOffset + nameSize
    if (typeSize < leastSize || nameOffset < typeSize || length > maxBtfSize) return undefined
    return readBtf(kernel, address, length, 'BTF')
  } catch (error) {
    if (error instanceof DumpError) return undefined
    throw error
  }
}
