// What a new machine is: each fact comes from the best place that has it, the user, the dump, the
// machine's own memory, or a default. Where it came from is kept, because an assumption is no fact.

import type { DeviceNode } from '../../formats/fdt/tree.ts'
import { writeDeviceTree } from '../../formats/fdt/writer.ts'
import type { NewMachine } from '../../formats/machine-image/image.ts'
import type { FirmwareName } from '../../formats/machine-image/state.ts'
import { hex, MiB } from '../address.ts'
import { UsageError } from '../errors.ts'
import { Vmcoreinfo } from '../kernel/vmcoreinfo.ts'
import { vmcoreinfoNoteSize } from '../kernel/vmcoreinfo-note.ts'
import { intersect, type Ranges } from '../ranges.ts'
import {
  adaptDeviceTree,
  defaultRmaSize,
  makeDeviceTree,
  readTreeFacts,
  sameRanges,
  type TreeFacts,
} from './device-tree.ts'
import {
  type Found,
  findBootTree,
  findKernelSizes,
  findVmcoreinfo,
  type KernelSizes,
  type Landmarks,
} from './landmarks.ts'
import type { MemorySource } from './memory-source.ts'
import { resetCpu } from './registers.ts'

/** What the user says of the machine; what is left out is found or assumed. */
export interface MachineOptions {
  readonly firmware: FirmwareName
  readonly mmu?: 'radix' | 'hash'
  /** Possible CPUs. */
  readonly cpus?: number
  /** CONFIG_NR_CPUS of the kernel. */
  readonly nrCpus?: number
  readonly commandLine?: string
  readonly reservedRanges?: Ranges
  /** End of the real-mode area, bytes. */
  readonly rmaSize?: number
}

export interface Finding {
  readonly field: 'release' | 'mmu' | 'commandLine' | 'cpus' | 'nrCpus' | 'rmaSize'
  readonly value: string | number
  /** `option`, `VMCOREINFO at 0x2540000`, `default`. */
  readonly source: string
}

/** The kernel image, never part of a reservation: 20 to 30 MiB from 0 on. */
const kernelImage = { start: 0, end: 32 * MiB }
/** CONFIG_NR_CPUS of the distributions. */
const usualNrCpus = 2048
/** sizeof(struct pt_regs) of ppc64 kernels since their KUAP support grew to four words. */
const usualPtRegsSize = 384
/** COMMAND_LINE_SIZE of ppc64. */
const commandLineSize = 2048
/** e_flags of a kernel of the ELFv2 ABI: all little-endian ones. */
const elfv2 = 2

/** What the memory itself told. */
interface Evidence {
  readonly note: Found<string> | undefined
  readonly vmcoreinfo: Vmcoreinfo
  readonly tree: Found<DeviceNode> | undefined
  readonly treeFacts: TreeFacts | undefined
  readonly sizes: Found<KernelSizes> | undefined
}

/** @throws {UsageError} when the memory shows that the page size is another one. */
export function describeMachine(
  source: MemorySource,
  landmarks: Landmarks,
  options: MachineOptions,
): NewMachine & { readonly findings: readonly Finding[] } {
  const evidence = gatherEvidence(source, landmarks)
  checkPageSize(source, evidence)
  const { findings, ...facts } = chooseFacts(source, evidence, options)
  const { note, tree, treeFacts, sizes } = evidence
  const reservedRanges = options.reservedRanges ?? treeFacts?.reservedRanges ?? []
  const inputs = { ...facts, memory: source.memory, reservedRanges }
  const deviceTree =
    tree !== undefined && sameRanges(treeFacts?.memory ?? [], source.memory)
      ? adaptDeviceTree(tree.value, inputs)
      : makeDeviceTree(inputs)
  const resetCpus = Array.from({ length: facts.maxCpus }, (_, id) => resetCpu(id))
  const state = {
    stage: 'production',
    arch: 'ppc64le',
    pageSize: source.pageSize,
    mmu: facts.mmu,
    firmware: options.firmware,
    memory: source.memory,
    reservedRanges,
    kernelReserved: intersect(source.memory, [kernelImage]),
    maxCpus: facts.maxCpus,
    cpus: source.cpus.length > 0 ? source.cpus : resetCpus,
    kernel: {
      release: evidence.vmcoreinfo.release,
      maxCpus: facts.nrCpus,
      ptRegsSize: sizes?.value.ptRegsSize ?? usualPtRegsSize,
      commandLineSize,
      elfFlags: elfv2,
      vmcoreinfo: note && { address: note.address, size: vmcoreinfoNoteSize(source.pageSize) },
    },
    commandLine: facts.commandLine,
    fadump: undefined,
    firmwareState: {
      registered: false,
      dumpActive: false,
      fdm: undefined,
      copying: false,
      rmaSize: facts.rmaSize,
    },
    capture: undefined,
    crash: undefined,
    boots: 1,
    messages: [],
    origin: source.name,
  } as const
  return { state, deviceTree: writeDeviceTree(deviceTree), findings }
}

function gatherEvidence(source: MemorySource, landmarks: Landmarks): Evidence {
  const note = findVmcoreinfo(source, landmarks)
  const tree = findBootTree(source, landmarks)
  return {
    note,
    vmcoreinfo: new Vmcoreinfo(note?.value ?? source.vmcoreinfo ?? ''),
    tree,
    treeFacts: tree && readTreeFacts(tree.value),
    sizes: findKernelSizes(source, landmarks),
  }
}

function checkPageSize(source: MemorySource, { vmcoreinfo }: Evidence): void {
  const pageSize = vmcoreinfo.pageSize ?? source.pageSize
  if (pageSize === source.pageSize) return
  throw new UsageError(`${source.name}: the kernel in this memory has pages of ${pageSize} bytes`, {
    hint: `use --page-size ${pageSize}`,
  })
}

/** Each fact from the first place that has it, and a record of which that was. */
function chooseFacts(source: MemorySource, evidence: Evidence, options: MachineOptions) {
  const findings: Finding[] = []
  const { note, vmcoreinfo, tree, treeFacts, sizes } = evidence
  const places = {
    option: 'option',
    registers: 'registers in the dump',
    vmcoreinfo: `VMCOREINFO${at(note)}`,
    tree: `device tree${at(tree)}`,
    header: `fadump header${at(sizes)}`,
  }
  const choose = <T extends string | number>(
    field: Finding['field'],
    candidates: { readonly [P in keyof typeof places]?: T | undefined },
    fallback: T,
  ): T => {
    const found = Object.entries(candidates).find(([, value]) => value !== undefined)
    const place = found === undefined ? 'default' : places[found[0] as keyof typeof places]
    const value = (found?.[1] as T | undefined) ?? fallback
    findings.push({ field, value, source: place })
    return value
  }
  choose('release', { vmcoreinfo: vmcoreinfo.release }, 'unknown')
  const { commandLine, rmaSize } = options
  const registers = source.cpus.length > 0 ? source.cpus.length : undefined
  const treeCpus = (treeFacts?.maxCpus ?? 0) >= source.cpus.length ? treeFacts?.maxCpus : undefined
  const facts = {
    mmu: choose('mmu', { option: options.mmu, vmcoreinfo: foundMmu(vmcoreinfo) }, 'radix'),
    commandLine: choose('commandLine', { option: commandLine, tree: treeFacts?.commandLine }, 'fadump=on'),
    maxCpus: choose('cpus', { option: options.cpus, tree: treeCpus, registers }, 1),
    nrCpus: choose('nrCpus', { option: options.nrCpus, header: sizes?.value.maxCpus }, usualNrCpus),
    rmaSize: choose('rmaSize', { option: rmaSize, tree: treeFacts?.rmaSize }, defaultRmaSize(source.memory)),
  }
  return { ...facts, findings }
}

function foundMmu(vmcoreinfo: Vmcoreinfo): 'radix' | 'hash' | undefined {
  const radix = vmcoreinfo.number('RADIX_MMU')
  return radix === undefined ? undefined : radix === 0n ? 'hash' : 'radix'
}

const at = (found: { readonly address: number } | undefined): string =>
  found === undefined ? '' : ` at ${hex(found.address)}`
