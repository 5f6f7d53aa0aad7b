// What of a crash is known from the dump itself: whose it is, when it was, its log.

import type { Dump } from '../../formats/dump.ts'
import { tryRead } from '../errors.ts'
import { renderDmesg } from '../kernel/dmesg.ts'
import { type Kernel, openKernel } from '../kernel/kernel.ts'
import { isPartial, readLog } from '../kernel/printk.ts'
import { readUtsname } from '../kernel/uts.ts'
import { Vmcoreinfo } from '../kernel/vmcoreinfo.ts'
import { printable } from '../printable.ts'
import { crashFolder } from './crash-folder.ts'
import type { Crash, CrashText } from './index.ts'

/**
 * Folder and log of a crash. Never throws for what the dump lacks: a dump of an unknown kernel is
 * worth saving, too.
 *
 * @param now seconds since 1970, for a dump that does not say when the crash was
 */
export function describeCrash(dump: Dump, now: number): Pick<Crash<unknown>, 'folder' | 'readLog'> {
  const host = tryRead(() => readUtsname(openKernel(dump)).nodename) ?? dump.kdump?.utsname.nodename
  const time = new Vmcoreinfo(dump.vmcoreinfo ?? '').crashTime ?? (dump.kdump?.crashTime || now)
  return { folder: crashFolder(host, time), readLog: () => logText(openKernel(dump)) }
}

function logText(kernel: Kernel): CrashText {
  const log = readLog(kernel)
  const text = printable(renderDmesg(log.records))
  return isPartial(log) ? { text, missing: `${log.unreadable} records could not be read` } : { text }
}
