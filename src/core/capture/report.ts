// What a capture boot and its ELF core header come to, as plain data for --json and as text.

import { programTypes } from '../../formats/elf/layout.ts'
import { hex } from '../address.ts'
import { joinParts, renderPrinted } from '../firmware/report.ts'
import { printableLine } from '../printable.ts'
import { renderPairs, renderTable } from '../table.ts'
import { renderCount, renderSize } from '../units.ts'
import type { CaptureBoot } from './boot.ts'
import type { CoreHeader } from './elfcorehdr.ts'
import type { AcceptedDump } from './plan.ts'

/** Addresses as `0x…`, sizes in bytes. */
export interface HeaderReport {
  readonly type: string
  /** Where the bytes are: p_offset, a physical address. */
  readonly offset: string
  readonly virtual: string
  readonly physical: string
  readonly size: number
  readonly why: string
}

export interface ElfcorehdrReport {
  readonly machine: string
  /** Where the capture kernel has it. */
  readonly address: string
  readonly size: number
  readonly headers: readonly HeaderReport[]
}

export interface CaptureReport extends ElfcorehdrReport {
  readonly commandLine: string
  readonly vmcoreSize: number
  readonly notes: { readonly address: string; readonly size: number }
  /** The file /proc/vmcore was copied to. */
  readonly vmcore: string | undefined
  /** The capture kernel ran already. */
  readonly isRepeated: boolean
  readonly messages: readonly string[]
}

const typeNames: Readonly<Record<number, string>> = {
  0: 'NULL',
  [programTypes.load]: 'LOAD',
  [programTypes.note]: 'NOTE',
}

export const elfcorehdrReport = (machine: string, { capture, headers }: AcceptedDump): ElfcorehdrReport => ({
  machine,
  address: hex(capture.elfcorehdrAddress),
  size: capture.elfcorehdrSize,
  headers: headers.map(headerReport),
})

const headerReport = (header: CoreHeader): HeaderReport => ({
  type: typeNames[header.type] ?? `${header.type}`,
  offset: hex(header.offset),
  virtual: hex(header.virtual),
  physical: hex(header.physical),
  size: header.memorySize,
  why: header.why,
})

export const captureReport = (
  machine: string,
  plan: CaptureBoot,
  vmcore: { readonly size: number; readonly path: string | undefined },
): CaptureReport => ({
  ...elfcorehdrReport(machine, plan),
  commandLine: plan.capture.commandLine,
  vmcoreSize: vmcore.size,
  notes: { address: hex(plan.capture.noteBufferAddress), size: plan.capture.noteBufferSize },
  vmcore: vmcore.path,
  isRepeated: plan.isRepeated,
  messages: plan.messages,
})

export function renderCapture(report: CaptureReport): string {
  const runs = report.isRepeated ? 'runs its capture kernel already' : 'runs its capture kernel'
  const head = renderPairs([
    ['machine', `${report.machine} ${runs}; it can be filtered, saved and analyzed`],
    ['command line', printableLine(report.commandLine)],
    ['ELF header', `at ${report.address}, CPU notes at ${report.notes.address}`],
    ['vmcore', `${renderCount(report.vmcoreSize)} bytes${renderCopy(report.vmcore)}`],
  ])
  return joinParts([head, renderHeaders(report.headers), renderPrinted(report.messages)])
}

const renderCopy = (path: string | undefined): string => (path === undefined ? '' : `, copied to ${path}`)

export function renderElfcorehdr(report: ElfcorehdrReport): string {
  return joinParts([
    `ELF core header of ${printableLine(report.machine)}, ${renderSize(report.size)} at ${report.address}`,
    renderHeaders(report.headers),
  ])
}

/** The table, and under it why each header is there. */
export function renderExplained(report: ElfcorehdrReport): string {
  const reasons = report.headers.map(({ type, why }, i) => `${i}  ${type}  ${why}`)
  return joinParts([renderElfcorehdr(report), reasons.join('\n')])
}

function renderHeaders(headers: readonly HeaderReport[]): string {
  const columns = [
    { title: '#', align: 'right' as const },
    { title: 'type' },
    { title: 'read from', align: 'right' as const },
    { title: 'physical', align: 'right' as const },
    { title: 'virtual' },
    { title: 'bytes', align: 'right' as const },
  ]
  const rows = headers.map(({ type, offset, physical, virtual, size }, i) => [
    `${i}`,
    type,
    offset,
    physical,
    virtual,
    renderCount(size),
  ])
  return renderTable(columns, rows)
}
