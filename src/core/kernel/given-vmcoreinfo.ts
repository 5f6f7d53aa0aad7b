// VMCOREINFO that comes with a dump in a file of its own: text as makedumpfile -g writes it, or a vmlinux.
// What the dump itself says counts first; the file fills in what it does not.

import { readFileSync } from 'node:fs'
import type { Dump } from '../../formats/dump.ts'
import { replaceVmcoreinfo } from '../../formats/elf/notes.ts'
import { FormatError, KernelError, messageOf, tryRead, UsageError } from '../errors.ts'
import { openKernel } from './kernel.ts'
import { makeVmcoreinfo } from './make-vmcoreinfo.ts'
import { KernelTypes } from './types.ts'
import { readUtsname } from './uts.ts'
import { Vmcoreinfo } from './vmcoreinfo.ts'
import { readVmlinux } from './vmlinux.ts'

export interface GivenVmcoreinfo {
  /** Path. */
  readonly file: string
  readonly text: string
}

/** A text file. @throws {FormatError} it cannot be read, or is none */
export function readVmcoreinfoFile(file: string): GivenVmcoreinfo {
  const text = readText(file)
  if (/^OSRELEASE=\S/m.test(text) && /^SYMBOL\(/m.test(text)) return { file, text }
  throw new FormatError({
    file,
    field: 'VMCOREINFO',
    expected: 'lines such as OSRELEASE=6.1.0 and SYMBOL(_stext)=…',
    found: text.startsWith('\x7fELF') ? 'an ELF file' : 'other text',
    hint: 'fadump filter -g FILE -x VMLINUX makes such a file; -x takes the vmlinux itself',
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (cause) {
    throw new FormatError({ file, field: 'cannot be read', found: messageOf(cause), cause })
  }
}

/** Made of a kernel's own file. @throws {FormatError | UsageError} it has no symbols, types or name */
export function vmcoreinfoOfVmlinux(file: string): GivenVmcoreinfo {
  const { symbols, btf, release, pageSize } = readVmlinux(file)
  if (symbols === undefined || btf === undefined || release === undefined) {
    const missing =
      symbols === undefined ? 'symbol table' : btf === undefined ? 'types (.BTF)' : 'linux_banner'
    throw new FormatError({
      file,
      field: `no ${missing}`,
      expected: 'the vmlinux of a kernel with CONFIG_DEBUG_INFO_BTF=y, not stripped',
    })
  }
  return { file, text: makeVmcoreinfo({ release, pageSize, symbols, types: new KernelTypes(btf) }) }
}

/**
 * The dump with that VMCOREINFO beside its own, which its note then says.
 * @throws {UsageError} it is of another kernel · {KernelError} it cannot be told whether it is
 */
export function withGivenVmcoreinfo(dump: Dump, { file, text }: GivenVmcoreinfo): Dump {
  const own = dump.vmcoreinfo === undefined ? undefined : new Vmcoreinfo(dump.vmcoreinfo)
  const merged = merge(own, new Vmcoreinfo(text))
  const known = { ...dump, vmcoreinfo: merged, ...replaceVmcoreinfo(dump, merged) }
  const wanted = new Vmcoreinfo(text).release
  const release = own?.release ?? tryRead(() => readUtsname(openKernel(known)).release)
  if (release === wanted) return merged === dump.vmcoreinfo ? dump : known
  if (own?.release !== undefined || (release !== undefined && /^\d+\.\d+/.test(release))) {
    throw new UsageError(`${file} is of Linux ${wanted}, and the dump of ${release}`)
  }
  throw new KernelError(`the kernel's name is not in the dump where ${file} has it`, {
    hint: 'it is of another kernel, or the kernel moved itself (KASLR) and the dump does not say where',
  })
}

/** Own lines first. Without KERNELOFFSET the file has addresses as they were linked. */
function merge(own: Vmcoreinfo | undefined, given: Vmcoreinfo): string {
  const moved = given.get('KERNELOFFSET') === undefined ? (own?.kernelOffset ?? 0n) : 0n
  const lines = given.keys().flatMap((key) => {
    if (own?.get(key) !== undefined) return []
    const name = /^SYMBOL\((.*)\)$/.exec(key)?.[1]
    const address = name === undefined ? undefined : given.symbol(name)
    if (address === undefined) return [`${key}=${given.get(key)}\n`]
    return [`${key}=${BigInt.asUintN(64, address + moved).toString(16)}\n`]
  })
  const text = own?.text ?? ''
  return (text === '' || text.endsWith('\n') ? text : `${text}\n`) + lines.join('')
}
