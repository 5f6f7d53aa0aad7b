// What did the kernel say? The whole log.

import { isPartial, type KernelLog } from '../../kernel/printk.ts'
import { renderPlural } from '../../units.ts'
import type { Remark, Section } from '../section.ts'
import type { Subject } from '../subject.ts'

export const logSection = {
  name: 'log',
  title: 'Kernel log',
  read(subject: Subject, remark: (remark: Remark) => void): KernelLog {
    const log = subject.log()
    if (isPartial(log)) {
      const count = log.unreadable === 0 ? [] : [`${renderPlural(log.unreadable, 'record')} unreadable`]
      remark({ kind: 'missing', message: `the log is partial: ${[...count, ...log.problems].join('; ')}` })
    }
    return log
  },
} as const satisfies Section<string, KernelLog>
