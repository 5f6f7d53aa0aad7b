// What sections read from: the dump, and what more than one of them needs, each read once and only when
// asked for. What could not be read the first time is not tried again: the same error is thrown.

import type { Dump } from '../../formats/dump.ts'
import type { CrashInfo } from '../../formats/fdh.ts'
import { tryRead } from '../errors.ts'
import { type CrashCause, findCause } from '../kernel/cause.ts'
import type { CrashHints } from '../kernel/cpus.ts'
import { findCrashInfo } from '../kernel/crash-info.ts'
import { type Kernel, openKernel } from '../kernel/kernel.ts'
import { type KernelLog, readLog } from '../kernel/printk.ts'
import { searchVmcoreinfo } from '../kernel/search-vmcoreinfo.ts'
import { Vmcoreinfo } from '../kernel/vmcoreinfo.ts'

export interface Subject {
  readonly dump: Dump
  /** Sections were asked for by name: then they may take their time. */
  readonly isSelective: boolean
  /** Empty when there is none. */
  readonly vmcoreinfo: Vmcoreinfo
  /** Physical address where VMCOREINFO was found, of a dump that has no note of it. */
  readonly vmcoreinfoAddress: number | undefined
  /** @throws {KernelError} */
  kernel(): Kernel
  /** @throws {KernelError | FaultError} */
  log(): KernelLog
  /** @throws {KernelError | FaultError} */
  cause(): CrashCause
  /** Of a fadump vmcore that still has it. */
  crashInfo(): CrashInfo | undefined
}

export function makeSubject(given: Dump, isSelective = false): Subject {
  const found = given.vmcoreinfo === undefined ? tryRead(() => searchVmcoreinfo(given)) : undefined
  const dump = found === undefined ? given : { ...given, vmcoreinfo: found.text }
  const vmcoreinfo = new Vmcoreinfo(dump.vmcoreinfo ?? '')
  const subject: Subject = {
    dump,
    isSelective,
    vmcoreinfo,
    vmcoreinfoAddress: found?.address,
    kernel: once(() => openKernel(dump)),
    log: once(() => readLog(subject.kernel())),
    cause: once(() => findCause(subject.log().records)),
    crashInfo: once(() => {
      const pageSize = vmcoreinfo.pageSize ?? dump.pageSize
      return pageSize === undefined ? undefined : findCrashInfo(dump, pageSize)
    }),
  }
  return subject
}

/** What is known of the crash before the CPUs are looked at. */
export const crashHints = (subject: Subject): CrashHints => ({
  crashInfo: subject.crashInfo(),
  log: tryRead(() => subject.cause().facts),
})

function once<T>(read: () => T): () => T {
  let result: { readonly value: T } | { readonly error: unknown } | undefined
  return () => {
    result ??= attempt(read)
    if ('error' in result) throw result.error
    return result.value
  }
}

function attempt<T>(read: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: read() }
  } catch (error) {
    return { error }
  }
}
