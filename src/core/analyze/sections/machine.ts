// Which machine and kernel was it, and when did it crash?

import { tryRead } from '../../errors.ts'
import { type BootFacts, readBootFacts } from '../../kernel/boot-facts.ts'
import { readUtsname } from '../../kernel/uts.ts'
import { totalSize } from '../../ranges.ts'
import type { Remark, Section } from '../section.ts'
import type { Subject } from '../subject.ts'

/** A fact and where it is from. */
export interface Sourced<T> {
  readonly value: T
  readonly source: string
}

export interface MachineAnswer {
  readonly release: string | undefined
  readonly version: string | undefined
  readonly nodename: string | undefined
  readonly domainname: string | undefined
  /** As uname -m prints it. */
  readonly machine: string | undefined
  /** Of the kernel image (GNU build id), hexadecimal. */
  readonly buildId: string | undefined
  /** Seconds since 1970. */
  readonly crashTime: Sourced<number> | undefined
  /** Seconds since boot: the time of the last record of the log. */
  readonly uptime: Sourced<number> | undefined
  readonly commandLine: Sourced<string> | undefined
  /** RAM, bytes. */
  readonly memory: Sourced<number>
}

export const machineSection = {
  name: 'machine',
  title: 'Machine and kernel',
  read(subject: Subject, remark: (remark: Remark) => void): MachineAnswer {
    const { dump, vmcoreinfo } = subject
    const uts = tryRead(() => readUtsname(subject.kernel())) ?? dump.kdump?.utsname
    const records = tryRead(() => subject.log().records)
    const boot: BootFacts = readBootFacts(records ?? [])
    if (uts === undefined) {
      remark({ kind: 'missing', message: 'the names of host and kernel (init_uts_ns) cannot be read' })
    }
    if (records !== undefined && boot.commandLine === undefined) {
      remark({ kind: 'note', message: 'the log no longer has the line with the kernel command line' })
    }
    return {
      release: uts?.release ?? vmcoreinfo.release,
      version: uts?.version,
      nodename: uts?.nodename,
      domainname: uts?.domainname,
      machine: uts?.machine,
      buildId: vmcoreinfo.get('BUILD-ID'),
      crashTime: crashTime(subject),
      uptime: uptime(records ?? []),
      commandLine: boot.commandLine === undefined ? undefined : { value: boot.commandLine, source: 'log' },
      memory:
        boot.memory === undefined
          ? { value: totalSize(dump.memory.ranges), source: 'dump' }
          : { value: boot.memory, source: 'log' },
    }
  },
} as const satisfies Section<string, MachineAnswer>

function crashTime({ vmcoreinfo, dump }: Subject): Sourced<number> | undefined {
  if (vmcoreinfo.crashTime !== undefined) return { value: vmcoreinfo.crashTime, source: 'VMCOREINFO' }
  const inHeader = dump.kdump?.crashTime ?? 0
  return inHeader > 0 ? { value: inHeader, source: 'kdump header' } : undefined
}

function uptime(records: readonly { readonly timeUs: number }[]): Sourced<number> | undefined {
  const last = records.at(-1)
  return last === undefined ? undefined : { value: last.timeUs / 1e6, source: 'last log record' }
}
