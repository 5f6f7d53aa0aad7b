// All there is to know of a machine, as plain data and as text.

import type { MachineImage } from '../../formats/machine-image/image.ts'
import type { FadumpConfig, MachineMessage, MachineStage } from '../../formats/machine-image/state.ts'
import { hex, hexOrNone } from '../address.ts'
import { renderStage } from '../machine/lifecycle.ts'
import { printable, printableLine } from '../printable.ts'
import type { Range } from '../ranges.ts'
import { renderPairs } from '../table.ts'
import { renderSize } from '../units.ts'
import { currentReservation, type FadumpSysfs, type MemoryUse, memoryUse, readSysfs } from './sysfs.ts'

/** Sizes in bytes, addresses as `0x…`. */
export interface MachineStatus {
  readonly machine: string
  readonly stage: MachineStage
  readonly origin: string
  readonly arch: string
  readonly release: string | undefined
  readonly firmware: string
  readonly mmu: string
  readonly pageSize: number
  readonly cpus: { readonly possible: number; readonly online: number }
  readonly memory: MemoryUse & { readonly ranges: readonly AddressRange[] }
  readonly commandLine: string
  readonly boots: number
  /** Undefined between crash and capture boot. */
  readonly sysfs: FadumpSysfs | undefined
  readonly reservation: ReservationStatus | undefined
  readonly crash: { readonly cpu: number | undefined; readonly reason: string } | undefined
  readonly messages: readonly MachineMessage[]
  /** Number of the state, and why one of its two copies could not be read. */
  readonly slot: { readonly sequence: number; readonly damaged: string | undefined }
}

interface AddressRange {
  readonly start: string
  readonly end: string
}

interface ReservationStatus {
  readonly start: string
  readonly size: number
  readonly bootMemorySize: number
  readonly bootMemoryTop: string
  readonly bootMemoryCopy: string
  readonly crashInfo: string
  readonly request: string | undefined
  readonly parameterArea: string | undefined
  readonly cma: AddressRange | undefined
}

export function readStatus(image: MachineImage): MachineStatus {
  const { state } = image
  const config = currentReservation(image)
  return {
    machine: image.path,
    stage: state.stage,
    origin: state.origin,
    arch: state.arch,
    release: state.kernel.release,
    firmware: state.firmware,
    mmu: state.mmu,
    pageSize: state.pageSize,
    cpus: { possible: state.maxCpus, online: state.cpus.filter((cpu) => cpu.online).length },
    memory: { ...memoryUse(state, config), ranges: state.memory.map(addressRange) },
    commandLine: state.capture?.commandLine ?? state.commandLine,
    boots: state.boots,
    sysfs: readSysfs(image, config),
    reservation: config && reservationStatus(config),
    crash: state.crash && { cpu: state.crash.cpu, reason: state.crash.reason },
    messages: state.messages,
    slot: image.slot,
  }
}

const reservationStatus = (config: FadumpConfig): ReservationStatus => ({
  start: hex(config.reserveStart),
  size: config.reserveSize,
  bootMemorySize: config.bootMemorySize,
  bootMemoryTop: hex(config.bootMemoryTop),
  bootMemoryCopy: hex(config.bootMemoryCopy),
  crashInfo: hex(config.headerAddress),
  request: hexOrNone(config.fdmAddress),
  parameterArea: hexOrNone(config.parameterArea),
  cma: config.cma && addressRange(config.cma),
})

const addressRange = ({ start, end }: Range): AddressRange => ({ start: hex(start), end: hex(end) })

export function renderStatus(status: MachineStatus): string {
  const { memory, cpus, crash } = status
  const head: (readonly [string, string])[] = [
    ['machine', `${status.machine} ${renderStage(status.stage)}`],
    ['made from', printableLine(status.origin)],
    ['kernel', printableLine(`${status.release ?? 'unknown release'}, ${status.arch}, ${status.mmu} MMU`)],
    ['firmware', status.firmware.toUpperCase()],
    ['CPUs', `${cpus.online} online of ${cpus.possible} possible`],
    ['memory', `${renderSize(memory.total)}, ${renderSize(memory.usable)} usable${cmaNote(memory)}`],
    ['command line', printableLine(status.commandLine)],
  ]
  if (crash !== undefined) {
    const where = crash.cpu === undefined ? '' : ` on CPU ${crash.cpu}`
    head.push(['crash', `${printableLine(crash.reason)}${where}`])
  }
  return [
    renderPairs(head),
    renderReservation(status.reservation),
    renderSysfs(status.sysfs),
    ...renderMessages(status.messages),
  ].join('\n\n')
}

const cmaNote = ({ cma }: MemoryUse): string =>
  cma === 0 ? '' : `, ${renderSize(cma)} of it for movable pages`

function renderReservation(reservation: ReservationStatus | undefined): string {
  if (reservation === undefined) return 'no memory is reserved for a dump'
  const end = hex(Number(reservation.start) + reservation.size)
  const rows: (readonly [string, string | undefined])[] = [
    ['reserved', `${reservation.start}-${end}, ${renderSize(reservation.size)}`],
    ['boot memory', `0x0-${reservation.bootMemoryTop}, ${renderSize(reservation.bootMemorySize)}`],
    ['its copy', reservation.bootMemoryCopy],
    ['crash info', reservation.crashInfo],
    ['request', reservation.request],
    ['parameter area', reservation.parameterArea],
  ]
  return renderPairs(rows.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const])))
}

/** As `grep . /sys/kernel/fadump/*` prints it. */
function renderSysfs(sysfs: FadumpSysfs | undefined): string {
  if (sysfs === undefined) return 'no kernel runs'
  return Object.entries(sysfs)
    .flatMap(([name, value]) =>
      value === undefined || name === 'release_mem'
        ? []
        : [`/sys/kernel/fadump/${name}: ${printableLine(value)}`],
    )
    .sort()
    .join('\n')
}

function renderMessages(messages: readonly MachineMessage[]): string[] {
  const boots = new Map<number, string[]>()
  for (const { boot, source, text } of messages) {
    const lines = boots.get(boot) ?? []
    lines.push(`  ${source.padEnd(8)}  ${printable(text)}`)
    boots.set(boot, lines)
  }
  return Array.from(boots, ([boot, lines]) => `boot ${boot}\n${lines.join('\n')}`)
}
