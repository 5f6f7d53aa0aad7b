// What is in the dump, and can it be trusted?

import { type Dump, isLoss } from '../../../formats/dump.ts'
import { hex } from '../../address.ts'
import { findArch } from '../../arch/index.ts'
import { tryRead } from '../../errors.ts'
import { readDumpPages } from '../../kernel/dump-pages.ts'
import { checkTranslation, type TranslationCheck } from '../../kernel/translation-check.ts'
import type { Remark, Section } from '../section.ts'
import type { Subject } from '../subject.ts'

export interface DumpAnswer {
  readonly file: string
  /** Bytes. */
  readonly size: number
  readonly format: Dump['format']
  readonly container: Dump['container']
  /** undefined: none we know. */
  readonly arch: string | undefined
  readonly elfMachine: number
  readonly pageSize: number | undefined
  readonly pages: PageTotals | undefined
  /** Bits of makedumpfile's -d, from a kdump header. */
  readonly dumpLevel: number | undefined
  /** Cut short, or marked so by who wrote it. */
  readonly isIncomplete: boolean
  /** Memory that the dump should hold and does not, bytes, and where: the first stretches; undefined: none. */
  readonly missing: MissingMemory | undefined
  readonly notes: readonly { readonly name: string; readonly type: number; readonly count: number }[]
  /** Where the kernel's description of itself is from; with the physical address when it had no note. */
  readonly vmcoreinfo: { readonly source: 'note' | 'memory'; readonly address?: string } | undefined
  /** KASLR: how far the kernel image is from where it was linked. */
  readonly kernelOffset: string | undefined
  /** Does the translation of addresses find the kernel that VMCOREINFO speaks of? */
  readonly translation: TranslationCheck | undefined
}

interface MissingMemory {
  readonly size: number
  readonly ranges: readonly { readonly start: string; readonly end: string; readonly reason: string }[]
}

/** Pages from address 0 to the highest of the dump: `total` = `stored` + `leftOut` + `holes`. */
export interface PageTotals {
  readonly total: number
  readonly stored: number
  readonly leftOut: number
  readonly holes: number
}

export const dumpSection = {
  name: 'dump',
  title: 'The dump',
  read(subject: Subject, remark: (remark: Remark) => void): DumpAnswer {
    const { dump, vmcoreinfo } = subject
    const pageSize = vmcoreinfo.pageSize ?? dump.pageSize
    if (pageSize === undefined)
      remark({ kind: 'note', message: 'the dump does not say how large its pages are' })
    const kernel = tryRead(() => subject.kernel())
    const translation = kernel && checkTranslation(kernel)
    for (const step of translation?.steps ?? []) {
      if (step.result !== 'failed') continue
      remark({ kind: 'missing', message: `kernel addresses cannot be trusted: ${step.name}: ${step.found}` })
    }
    return {
      file: dump.name,
      size: dump.source.size,
      format: dump.format,
      container: dump.container,
      arch: findArch(dump)?.name,
      elfMachine: dump.elfMachine,
      pageSize,
      pages: pageSize === undefined ? undefined : tryRead(() => countPages(dump, pageSize)),
      dumpLevel: dump.kdump?.dumpLevel,
      isIncomplete: dump.warnings.some(isLoss),
      missing: missingMemory(dump),
      notes: countNotes(dump),
      vmcoreinfo: vmcoreinfoSource(subject),
      kernelOffset: vmcoreinfo.get('KERNELOFFSET') === undefined ? undefined : hex(vmcoreinfo.kernelOffset),
      translation,
    }
  },
} as const satisfies Section<string, DumpAnswer>

function missingMemory(dump: Dump): MissingMemory | undefined {
  const { size, ranges } = dump.lost()
  if (size === 0) return undefined
  return {
    size,
    ranges: ranges.map(({ start, end, reason }) => ({ start: hex(start), end: hex(end), reason })),
  }
}

function vmcoreinfoSource({ dump, vmcoreinfoAddress }: Subject): DumpAnswer['vmcoreinfo'] {
  if (dump.vmcoreinfo === undefined) return undefined
  return vmcoreinfoAddress === undefined
    ? { source: 'note' }
    : { source: 'memory', address: hex(vmcoreinfoAddress) }
}

function countPages({ memory }: Dump, pageSize: number): PageTotals {
  const { existing, dumpable } = readDumpPages(memory, pageSize)
  const [total, exist, stored] = [existing.length, existing.count(), dumpable.count()]
  return { total, stored, leftOut: exist - stored, holes: total - exist }
}

function countNotes({ notes }: Dump): { name: string; type: number; count: number }[] {
  const counts = new Map<string, { name: string; type: number; count: number }>()
  for (const { name, type } of notes) {
    const key = `${type} ${name}`
    const known = counts.get(key)
    if (known === undefined) counts.set(key, { name, type, count: 1 })
    else known.count++
  }
  return [...counts.values()]
}
