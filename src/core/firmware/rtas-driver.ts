// The kernel's side of RTAS: what it reads in the device tree, how it calls firmware and what it makes
// of the answers, with its own words.
// Source: Linux arch/powerpc/platforms/pseries/rtas-fadump.c, 7.2.

import { type DeviceNode, findNode, withProperty } from '../../formats/fdt/tree.ts'
import { hasRegsaveMagic, parseRegisterSaveArea, regsaveSize, type SavedCpu } from '../../formats/regsave.ts'
import { hex, MiB } from '../address.ts'
import { Cursor } from '../cursor.ts'
import { DumpError, RefusedError } from '../errors.ts'
import { contains } from '../ranges.ts'
import { dumpArea, placeCopies } from './dump-area.ts'
import {
  buildFdm,
  errorFlags,
  type Fdm,
  type FdmSection,
  fdmSize,
  parseFdm,
  sectionTypes,
  writeFdm,
} from './fdm.ts'
import type { CallResult, DumpCheck, DumpRegion, Firmware, Machine, WaitingDump } from './index.ts'
import type { Platform } from './reservation.ts'
import { configureKernelDump, dumpCommands, preserveMemory, rtasStatus } from './rtas.ts'

const tokenProperty = 'ibm,configure-kernel-dump'
const sizesProperty = 'ibm,configure-kernel-dump-sizes'
const dumpProperty = 'ibm,kernel-dump'

/** The kernel's table has room for so many sections, whatever it registers. */
const kernelSections = 10
/** CPU state, hash page table and parameter area take three of the ten. */
const maxBootRegions = 7
/** More CPUs than a kernel can be built for: the bound of what is read as register save area. */
const maxSavedCpus = 16384

const say = (text: string): string => `rtas fadump: ${text}`

export const rtasFirmware: Firmware = {
  name: 'rtas',
  platform: readPlatform,
  writeRequest: (config, { state }) =>
    writeFdm(buildFdm(config, state.pageSize, state.kernel.commandLineSize)),
  register(machine, config) {
    const length = fdmSize(buildFdm(config, machine.state.pageSize, 0).sections.length)
    const call = { command: dumpCommands.register, address: config.fdmAddress ?? 0, length }
    const { status, firmwareState } = configureKernelDump(machine, call)
    if (status !== rtasStatus.success) {
      throw registerRefusal(status, contains(machine.ram.ranges, dumpArea(config)))
    }
    return { firmwareState, messages: [say('Registration is successful!')] }
  },
  unregister: (machine) =>
    callOrRefuse(
      machine,
      dumpCommands.unregister,
      (status) => `Failed to un-register - unexpected error(${status}).`,
    ),
  invalidate: (machine) =>
    callOrRefuse(
      machine,
      dumpCommands.invalidate,
      (status) => `Failed to invalidate - unexpected error (${status}).`,
    ),
  preserve: preserveMemory,
  listRegions: ({ fdm }) =>
    fdm === undefined ? [] : parseFdm(Buffer.from(fdm, 'hex'), dumpProperty).sections.map(dumpRegion),
  markDump: (tree, { dumpActive, fdm }) =>
    withProperty(
      tree,
      '/rtas',
      dumpProperty,
      dumpActive ? Uint8Array.from(Buffer.from(fdm ?? '', 'hex')) : undefined,
    ),
  findDump(tree) {
    const bytes = findNode(tree, '/rtas')?.properties.get(dumpProperty)
    return bytes === undefined ? undefined : readWaitingDump(parseFdm(bytes, dumpProperty))
  },
}

const regionNames: Readonly<Record<number, string>> = {
  [sectionTypes.cpuState]: 'CPU state',
  [sectionTypes.hpte]: 'hash page table',
  [sectionTypes.bootMemory]: 'boot memory',
  [sectionTypes.parameterArea]: 'parameters',
}

const problems: readonly (readonly [number, string])[] = [
  [errorFlags.invalidDataType, 'unknown type'],
  [errorFlags.invalidSourceAddress, 'source is no memory'],
  [errorFlags.lengthExceedsSource, 'longer than the source'],
  [errorFlags.invalidDestinationAddress, 'destination is no memory'],
  [errorFlags.destinationTooSmall, 'destination is too small'],
]

function dumpRegion(section: FdmSection): DumpRegion {
  const type = section.sourceDataType
  const isCopied = type === sectionTypes.bootMemory || type === sectionTypes.parameterArea
  return {
    name: regionNames[type] ?? `type ${hex(type)}`,
    source: isCopied ? section.sourceAddress : undefined,
    destination: section.destinationAddress,
    size: section.sourceLength,
    saved: section.bytesDumped,
    problems: problems.flatMap(([flag, text]) => ((section.errorFlags & flag) === 0 ? [] : [text])),
  }
}

function readPlatform(tree: DeviceNode): Platform {
  const rtas = findNode(tree, '/rtas')
  if (rtas?.properties.get(tokenProperty) === undefined) {
    throw new RefusedError('fadump: Firmware-Assisted Dump is not supported on this hardware', {
      errno: 'ENODEV',
      hint: `the machine's device tree has no /rtas/${tokenProperty}`,
    })
  }
  const sizes = readSizes(rtas.properties.get(sizesProperty) ?? new Uint8Array())
  return {
    minBootMemory: 320 * MiB,
    maxBootRegions,
    maxCopySize: Number.MAX_SAFE_INTEGER,
    cpuStateSize: sizes.get(sectionTypes.cpuState) ?? 0,
    hpteSize: sizes.get(sectionTypes.hpte) ?? 0,
    metadataSize: 0,
    hasParameterArea: true,
  }
}

/** Triples of cells: section type, high and low half of its size in bytes. */
function readSizes(bytes: Uint8Array): ReadonlyMap<number, number> {
  const cursor = new Cursor(bytes, false, { file: sizesProperty })
  const sizes = new Map<number, number>()
  while (cursor.remaining >= 12) sizes.set(cursor.u32(), cursor.u64('size'))
  return sizes
}

/** What `echo 1 > registered` comes to for a return code that is not success. */
export function registerRefusal(status: number, areaIsWhole: boolean): RefusedError {
  switch (status) {
    case rtasStatus.hardwareError:
      return refused(`Failed to register. Hardware Error(${status}).`, 'EIO', status)
    case rtasStatus.parameterError: {
      const hole = areaIsWhole ? '' : `Can't have holes in reserved memory area. `
      return refused(`${hole}Failed to register. Parameter Error(${status}).`, 'EINVAL', status)
    }
    case rtasStatus.alreadyRegistered:
      return refused('Already registered!', 'EEXIST', status)
    default:
      return refused(`Failed to register. Unknown Error(${status}).`, 'EIO', status)
  }
}

const refused = (text: string, errno: string, status: number): RefusedError =>
  new RefusedError(say(text), { errno, status })

function callOrRefuse(machine: Machine, command: number, explain: (status: number) => string): CallResult {
  const address = machine.state.fadump?.fdmAddress ?? 0
  const call = { command, address, length: fdmSize(kernelSections) }
  const { status, firmwareState } = configureKernelDump(machine, call)
  if (status !== rtasStatus.success) throw refused(explain(status), 'EIO', status)
  return { firmwareState, messages: [] }
}

function readWaitingDump({ sections }: Fdm): WaitingDump {
  const ofType = (type: number): readonly FdmSection[] =>
    sections.filter((section) => section.sourceDataType === type)
  const known: readonly number[] = Object.values(sectionTypes)
  const unknown = sections.filter((section) => !known.includes(section.sourceDataType))
  const cpuState = ofType(sectionTypes.cpuState).at(-1)
  const bootMemory = ofType(sectionTypes.bootMemory)
  const bootMemoryCopy =
    bootMemory.findLast((section) => section.sourceAddress === 0)?.destinationAddress ?? 0
  return {
    messages: [
      say('Firmware-assisted dump is active.'),
      ...unknown.map((section) =>
        say(`Section type ${section.sourceDataType} unsupported on this kernel. Ignoring!`),
      ),
    ],
    reserveStart: cpuState?.destinationAddress ?? 0,
    bootMemoryCopy,
    // The kernel takes the first copy's address and lets the others follow.
    bootMemoryRegions: placeCopies(
      bootMemory.map(({ sourceAddress, sourceLength }) => ({ address: sourceAddress, size: sourceLength })),
      bootMemoryCopy,
    ),
    parameterArea: ofType(sectionTypes.parameterArea).at(-1)?.destinationAddress,
    check: () => checkSections(sections),
    readCpus: (ram) => readCpus(ram, cpuState),
  }
}

/** Stops at the first section that makes the dump useless, as the kernel does. */
function checkSections(sections: readonly FdmSection[]): DumpCheck {
  const messages: string[] = []
  let hasParameterArea = true
  for (const [i, section] of sections.entries()) {
    const isWhole = section.bytesDumped === section.sourceLength
    const place = `src addr: ${hex(section.sourceAddress)} dest addr: ${hex(section.destinationAddress)}`
    switch (section.sourceDataType) {
      case sectionTypes.cpuState:
      case sectionTypes.hpte:
      case sectionTypes.bootMemory:
        if (section.errorFlags !== 0) messages.push(say(`Dump taken by platform is not valid (${i})`))
        if (!isWhole) messages.push(say(`Dump taken by platform is incomplete (${i})`))
        if (section.errorFlags === 0 && isWhole) break
        messages.push(say(`Region type: ${section.sourceDataType} ${place}`))
        return { isValid: false, hasParameterArea, messages }
      case sectionTypes.parameterArea:
        if (section.errorFlags === 0 && isWhole) break
        messages.push(say('Failed to process additional parameters! Proceeding anyway..'))
        hasParameterArea = false
        break
      default:
        messages.push(say(`Unknown region found: type: ${section.sourceDataType} ${place}`))
    }
  }
  return { isValid: true, hasParameterArea, messages }
}

function readCpus(ram: Machine['ram'], section: FdmSection | undefined): SavedCpu[] {
  const bytes = new Uint8Array(Math.min(section?.bytesDumped ?? 0, regsaveSize(maxSavedCpus)))
  try {
    ram.read(section?.destinationAddress ?? 0, bytes)
    return parseRegisterSaveArea(bytes, 'memory')
  } catch (cause) {
    if (!(cause instanceof DumpError)) throw cause
    const what = hasRegsaveMagic(bytes) ? 'CPU state data' : 'register save area.'
    throw new RefusedError(say(`Unable to read ${what}`), { errno: 'ENOENT', cause })
  }
}
