// What register and trigger come to, as plain data for --json and as text.

import type { MachineImage } from '../../formats/machine-image/image.ts'
import { hex, hexOrNone } from '../address.ts'
import { printable, printableLine } from '../printable.ts'
import { renderPairs, renderTable } from '../table.ts'
import { renderCount, renderSize } from '../units.ts'
import type { CrashResult } from './crash.ts'
import { type DumpRegion, getFirmware } from './index.ts'
import type { RegisterResult } from './register.ts'

/** Addresses as `0x…`, sizes in bytes. */
export interface RegionReport {
  readonly name: string
  readonly source: string | undefined
  readonly destination: string
  readonly size: number
  readonly saved: number
  readonly problems: readonly string[]
}

export interface RegisterReport {
  readonly machine: string
  readonly registered: boolean
  readonly reserved: { readonly start: string; readonly size: number }
  readonly crashInfo: string
  readonly request: string | undefined
  readonly parameterArea: string | undefined
  readonly bootargsAppend: string
  readonly regions: readonly RegionReport[]
  readonly messages: readonly string[]
}

export function registerReport(image: MachineImage, result: RegisterResult): RegisterReport {
  const { config, messages, bootargsAppend } = result
  return {
    machine: image.path,
    registered: image.state.firmwareState.registered,
    reserved: { start: hex(config.reserveStart), size: config.reserveSize },
    crashInfo: hex(config.headerAddress),
    request: hexOrNone(config.fdmAddress),
    parameterArea: hexOrNone(config.parameterArea),
    bootargsAppend,
    regions: regionsOf(image),
    messages,
  }
}

const regionsOf = ({ state }: MachineImage): RegionReport[] =>
  getFirmware(state.firmware).listRegions(state.firmwareState).map(regionReport)

const regionReport = ({ source, destination, ...rest }: DumpRegion): RegionReport => ({
  ...rest,
  source: hexOrNone(source),
  destination: hex(destination),
})

export function renderRegister(report: RegisterReport): string {
  const { start, size } = report.reserved
  const head = renderPairs([
    ['machine', `${report.machine} is registered`],
    ['reserved', `${start}-${hex(Number(start) + size)}, ${renderCount(size)} bytes`],
    ['crash info', report.crashInfo],
    ['request', report.request ?? 'none'],
    ['appended', report.parameterArea === undefined ? 'not possible' : renderAppended(report)],
  ])
  const columns = [
    { title: 'to be saved' },
    { title: 'from', align: 'right' as const },
    { title: 'to', align: 'right' as const },
    { title: 'size', align: 'right' as const },
  ]
  const rows = report.regions.map((region) => [
    region.name,
    region.source ?? 'firmware',
    region.destination,
    renderSize(region.size),
  ])
  return joinParts([head, renderTable(columns, rows), renderPrinted(report.messages)])
}

const renderAppended = ({ bootargsAppend, parameterArea }: RegisterReport): string =>
  bootargsAppend === ''
    ? `nothing (area at ${parameterArea})`
    : `${printableLine(bootargsAppend)} (at ${parameterArea})`

export interface CrashReport {
  readonly machine: string
  readonly cpu: number | undefined
  readonly reason: string
  readonly outcome: CrashResult['outcome']
  readonly regions: readonly RegionReport[]
  readonly messages: readonly string[]
}

export const crashReport = (image: MachineImage, result: CrashResult): CrashReport => ({
  machine: image.path,
  cpu: result.cpu,
  reason: result.reason,
  outcome: result.outcome,
  regions: regionsOf(image),
  messages: result.messages,
})

const outcomes: Record<CrashReport['outcome'], string> = {
  crashed: '',
  resumed: '\nThis was the rest of an interrupted crash; options were not looked at.',
  repeated: '\nThat was before: there was nothing to do. fadump boot-capture comes next.',
}

export function renderCrash(report: CrashReport): string {
  const where = report.cpu === undefined ? 'was ended from outside' : `crashed on CPU ${report.cpu}`
  const columns = [
    { title: 'saved' },
    { title: 'from', align: 'right' as const },
    { title: 'to', align: 'right' as const },
    { title: 'bytes', align: 'right' as const },
    { title: 'result' },
  ]
  const rows = report.regions.map((region) => [
    region.name,
    region.source ?? 'firmware',
    region.destination,
    `${renderCount(region.saved)} of ${renderCount(region.size)}`,
    regionResult(region),
  ])
  return joinParts([
    `${printableLine(report.machine)} ${where}: ${printableLine(report.reason)}${outcomes[report.outcome]}`,
    renderTable(columns, rows),
    renderPrinted(report.messages),
  ])
}

function regionResult({ source, destination, size, saved, problems }: RegionReport): string {
  if (problems.length > 0) return problems.join(', ')
  if (saved !== size) return 'incomplete'
  return source === destination ? 'kept in place' : 'ok'
}

/** What kernel and firmware printed, set off from our own words. */
export const renderPrinted = (messages: readonly string[]): string =>
  messages.map((line) => `  ${printable(line)}`).join('\n')

export const joinParts = (parts: readonly string[]): string =>
  parts.filter((part) => part !== '').join('\n\n')
