// Where a virtual address of the dumped kernel is in memory, and how its page tables say so.

import type { PhysAddr, VirtAddr } from '../address.ts'
import { hex } from '../address.ts'
import { FaultError, tryRead } from '../errors.ts'
import type { WalkStep } from '../memory/virtual.ts'
import type { Kernel } from './kernel.ts'

export interface TranslatedAddress {
  readonly virtual: VirtAddr
  readonly physical: PhysAddr
  /** Empty where the kernel's tables are not known, or not in the dump. */
  readonly steps: readonly WalkStep[]
}

/** @throws {FaultError} nothing maps it */
export function translateAddress({ memory, vmcoreinfo }: Kernel, virtual: VirtAddr): TranslatedAddress {
  const steps = tryRead(() => memory.trace(virtual)) ?? []
  // Tables that know the kernel's own image know all there is; otherwise fixed areas are asked, too.
  const known = vmcoreinfo.symbol('_stext') ?? vmcoreinfo.symbol('init_uts_ns')
  const areTablesWhole = known !== undefined && tryRead(() => memory.walk(known)) !== undefined
  const physical = areTablesWhole ? memory.walk(virtual) : memory.translate(virtual)
  if (physical !== undefined) return { virtual, physical, steps }
  const hint = steps.length === 0 ? {} : { hint: `page table entries: ${steps.map(stepText).join(', ')}` }
  throw new FaultError('virtual', virtual, 1, 'unmapped', hint)
}

const stepText = ({ level, at, entry }: WalkStep): string => `${level} at ${hex(at)} is ${hex(entry)}`

/** As makedumpfile prints it. */
export function renderTranslation({ virtual, physical, steps }: TranslatedAddress): string {
  const number = (value: number | bigint): string => value.toString(16).padStart(16)
  return [
    '',
    `Translating virtual address ${virtual.toString(16)} to physical address.`,
    ...steps.map(({ level, at, entry }) => `  ${level.toUpperCase()} : ${number(at)} => ${number(entry)}`),
    'VIRTUAL           PHYSICAL',
    `${number(virtual)}  ${physical.toString(16)}`,
    '',
  ].join('\n')
}
