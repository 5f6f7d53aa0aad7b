// What was each CPU doing? Its registers, as the dump's notes have them.

import { hex } from '../../address.ts'
import { findArch } from '../../arch/index.ts'
import { KernelError, tryRead } from '../../errors.ts'
import { type CpuNumber, type CpuSource, crashingCpu, readCpus } from '../../kernel/cpus.ts'
import type { Remark, Section } from '../section.ts'
import { crashHints, type Subject } from '../subject.ts'

export interface CpuAnswer {
  readonly cpu: CpuNumber
  readonly crashed: boolean
  readonly mode: 'user' | 'kernel'
  readonly programCounter: string
  readonly stackPointer: string
  readonly registers: Readonly<Record<string, string>>
}

export const cpusSection = {
  name: 'cpus',
  title: 'CPUs',
  read(subject: Subject, remark: (remark: Remark) => void): readonly CpuAnswer[] {
    const hints = crashHints(subject)
    const crashed = crashingCpu(hints)?.value
    const cpus = readCpus(cpuSource(subject), hints)
    if (cpus.length === 0) {
      throw new KernelError('the dump has no registers: there is no NT_PRSTATUS note of this architecture')
    }
    if (cpus.some(({ cpu }) => cpu.confidence === 'guess')) {
      remark({
        kind: 'note',
        message:
          'notes carry no CPU numbers; those marked as guesses follow from the order of the notes alone',
      })
    }
    return cpus.map(({ cpu, mode, programCounter, stackPointer, registers }) => ({
      cpu,
      crashed: cpu.value === crashed,
      mode,
      programCounter: hex(programCounter, 16),
      stackPointer: hex(stackPointer, 16),
      registers: Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, hex(value, 16)])),
    }))
  },
} as const satisfies Section<string, readonly CpuAnswer[]>

/** Notes alone give the registers of a dump whose kernel cannot be opened. */
function cpuSource(subject: Subject): CpuSource {
  const kernel = tryRead(() => subject.kernel())
  if (kernel !== undefined) return kernel
  const { dump, vmcoreinfo } = subject
  const arch = findArch(dump)
  return arch === undefined ? subject.kernel() : { dump, arch, vmcoreinfo }
}
