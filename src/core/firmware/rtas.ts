// RTAS as the platform: the call ibm,configure-kernel-dump with its checks in order, and what firmware
// does when the kernel gives up. It trusts its private copy alone; the guest's memory may change.
// Where QEMU's firmware is careless (INVALIDATE without a dump, requests that overlap, a lost error
// bit) this one is strict.
// Source: QEMU hw/ppc/spapr_fadump.c.

import type { FirmwareState, MachineCpu } from '../../formats/machine-image/state.ts'
import { type SavedCpu, writeRegisterSaveArea } from '../../formats/regsave.ts'
import { DumpError, FaultError, FormatError } from '../errors.ts'
import { contains, overlaps, type Range } from '../ranges.ts'
import { abi64be } from '../struct.ts'
import {
  errorFlags,
  type Fdm,
  type FdmSection,
  fdmHeader,
  fdmSize,
  maxSections,
  parseFdm,
  sectionTypes,
  statusFlags,
  writeFdm,
} from './fdm.ts'
import type { Machine } from './index.ts'
import { registersOf } from './pt-regs.ts'

export const dumpCommands = { register: 1, unregister: 2, invalidate: 3 } as const

/** Return codes of the call. */
export const rtasStatus = {
  success: 0,
  hardwareError: -1,
  parameterError: -3,
  alreadyRegistered: -9,
  dumpActive: -10,
} as const

/** Arguments of ibm,configure-kernel-dump: command, real address and length of the structure. */
export interface DumpCall {
  readonly command: number
  readonly address: number
  readonly length: number
}

export interface DumpAnswer {
  readonly status: number
  /** Unchanged unless the status is success. */
  readonly firmwareState: FirmwareState
}

export function configureKernelDump(machine: Machine, call: DumpCall): DumpAnswer {
  const old = machine.state.firmwareState
  const fail = (status: number): DumpAnswer => ({ status, firmwareState: old })
  switch (call.command) {
    case dumpCommands.register:
      return register(machine, call)
    case dumpCommands.unregister:
      if (old.dumpActive) return fail(rtasStatus.dumpActive)
      return { status: rtasStatus.success, firmwareState: { ...old, registered: false, fdm: undefined } }
    case dumpCommands.invalidate:
      if (!old.dumpActive) return fail(rtasStatus.parameterError)
      return { status: rtasStatus.success, firmwareState: { ...old, dumpActive: false, fdm: undefined } }
    default:
      return fail(rtasStatus.parameterError)
  }
}

function register({ state, ram }: Machine, { address, length }: DumpCall): DumpAnswer {
  const old = state.firmwareState
  const fail = (status: number): DumpAnswer => ({ status, firmwareState: old })
  if (old.registered) return fail(rtasStatus.alreadyRegistered)
  if (old.dumpActive) return fail(rtasStatus.dumpActive)
  if (length < fdmSize(0)) return fail(rtasStatus.parameterError)
  if (address <= 0 || address + length > old.rmaSize) return fail(rtasStatus.parameterError)
  try {
    const headerBytes = readRam(ram, address, fdmSize(0))
    const header = fdmHeader.parse(headerBytes, abi64be, { file: 'FDM' })
    if (header.dumpFormatVersion !== 1) return fail(rtasStatus.parameterError)
    if (header.dumpNumSections > maxSections) return fail(rtasStatus.parameterError)
    if (length !== fdmSize(header.dumpNumSections)) return fail(rtasStatus.parameterError)
    const table = { at: address + header.offsetFirstDumpSection, size: length - fdmSize(0) }
    if (!contains(ram.ranges, { start: table.at, end: table.at + table.size })) {
      return fail(rtasStatus.parameterError)
    }
    const bytes = Buffer.concat([headerBytes, readRam(ram, table.at, table.size)])
    const fdm = parseFdm(bytes, 'FDM')
    if (overlapsItself(fdm.sections)) return fail(rtasStatus.parameterError)
    const copy = { ...fdm, header: { ...header, dumpStatusFlag: 0 } }
    return {
      status: rtasStatus.success,
      firmwareState: { ...old, registered: true, fdm: toHex(copy) },
    }
  } catch (error) {
    if (error instanceof FaultError) return fail(rtasStatus.hardwareError)
    if (error instanceof DumpError) return fail(rtasStatus.parameterError)
    throw error
  }
}

const isRequested = (section: FdmSection): boolean => section.requestFlag === 1

const isCopied = ({ sourceDataType: type }: FdmSection): boolean =>
  type === sectionTypes.bootMemory || type === sectionTypes.parameterArea

/**
 * Would a copy destroy what another one needs? Then a dump could not be redone after a power loss, and
 * an ascending copy onto itself would spoil the data. A section that stays in place moves nothing.
 */
function overlapsItself(sections: readonly FdmSection[]): boolean {
  const moved = sections.filter(
    (one) => isRequested(one) && !(isCopied(one) && one.sourceAddress === one.destinationAddress),
  )
  const written = moved.map((one) => rangeAt(one.destinationAddress, one.sourceLength))
  const read = moved.filter(isCopied).map((one) => rangeAt(one.sourceAddress, one.sourceLength))
  return written.some(
    (one, i) =>
      read.some((source) => overlaps(one, source)) ||
      written.slice(i + 1).some((other) => overlaps(one, other)),
  )
}

const rangeAt = (start: number, size: number): Range => ({ start, end: start + size })

const privateCopy = "firmware's FDM"

/**
 * ibm,os-term with a registration: save what was asked for, in the order of the table, and keep the
 * results for the next boot. Doing it again after it was cut short gives the same memory.
 */
export function preserveMemory(machine: Machine): FirmwareState {
  const old = machine.state.firmwareState
  const fdm = parseFdm(Buffer.from(old.fdm ?? '', 'hex'), privateCopy)
  if (overlapsItself(fdm.sections)) {
    const expected = 'sections apart, as at registration'
    throw new FormatError({ file: privateCopy, field: 'sections', expected, found: 'some that overlap' })
  }
  const sections = fdm.sections.map((section) => preserveSection(machine, section))
  const failed = sections.some((section) => section.errorFlags !== 0)
  const dumpStatusFlag = statusFlags.triggered | statusFlags.performed | (failed ? statusFlags.error : 0)
  const result = { header: { ...fdm.header, dumpStatusFlag }, sections }
  return { ...old, registered: false, dumpActive: true, copying: false, fdm: toHex(result) }
}

function preserveSection({ state, ram }: Machine, section: FdmSection): FdmSection {
  const result = (bytesDumped: number, flags = 0): FdmSection => ({
    ...section,
    bytesDumped,
    errorFlags: flags,
  })
  const { sourceAddress, destinationAddress, sourceLength } = section
  if (!isRequested(section)) return result(0)
  switch (section.sourceDataType) {
    case sectionTypes.cpuState: {
      const area = writeRegisterSaveArea(state.cpus.map(savedCpu), state.maxCpus)
      if (area.length > sourceLength) return result(0, errorFlags.destinationTooSmall)
      if (!contains(ram.ranges, rangeAt(destinationAddress, area.length))) {
        return result(0, errorFlags.invalidDestinationAddress)
      }
      ram.write(destinationAddress, area)
      return result(area.length)
    }
    case sectionTypes.hpte:
      return result(0)
    case sectionTypes.bootMemory:
    case sectionTypes.parameterArea:
      if (sourceAddress === destinationAddress) return result(sourceLength)
      if (!contains(ram.ranges, rangeAt(sourceAddress, sourceLength))) {
        return result(0, errorFlags.invalidSourceAddress)
      }
      if (!contains(ram.ranges, rangeAt(destinationAddress, sourceLength))) {
        return result(0, errorFlags.invalidDestinationAddress)
      }
      ram.copy(sourceAddress, destinationAddress, sourceLength)
      return result(sourceLength)
    default:
      return result(0, errorFlags.invalidDataType)
  }
}

const savedCpu = (cpu: MachineCpu): SavedCpu => ({ id: cpu.id, registers: registersOf(cpu) })

const toHex = (fdm: Fdm): string => Buffer.from(writeFdm(fdm)).toString('hex')

function readRam(ram: Machine['ram'], address: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  ram.read(address, bytes)
  return bytes
}
