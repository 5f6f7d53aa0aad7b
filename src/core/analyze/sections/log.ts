// What did the kernel say? The whole log.

import { isPartial, type KernelLog } from '../../kernel/printk.ts'
import type { Remark, Section } from '../section.ts'
import type { Subject } from '../subject.ts'

export const logSection = {
  name: 'log',
  title: 'Kernel log',
  read(subject: Subject, remark: (remark: Remark) => void): KernelLog {
    const log = subject.log()
    if (isPartial(log)) {
      const reasons = [`${log.unreadable} records cannot be read`, ...log.problems].join('; ')
      remark({ kind: 'missing', message: `the log is partial: ${reasons}` })
    }
    return log
  },
} as const satisfies Section<string, KernelLog>
