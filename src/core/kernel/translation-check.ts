// Does the translation find the kernel that the notes speak of? Two proofs: text that only the kernel
// can have stands where a symbol says, and the page tables agree with the rule for the image.

import { hex } from '../address.ts'
import { DumpError } from '../errors.ts'
import { printableLine } from '../printable.ts'
import type { Kernel } from './kernel.ts'
import { readUtsname } from './uts.ts'

interface CheckStep {
  /** What was looked at. */
  readonly name: string
  /** `unknown`: the dump or the kernel does not say enough to judge. */
  readonly result: 'passed' | 'failed' | 'unknown'
  /** What was found, for people; one printable line. */
  readonly found: string
}

export interface TranslationCheck {
  /** No step failed and at least one passed. */
  readonly passed: boolean
  readonly steps: readonly CheckStep[]
}

/** Never throws a DumpError: a step that cannot be made says why. */
export function checkTranslation(kernel: Kernel): TranslationCheck {
  const steps = [
    attempt('release in init_uts_ns', () => checkRelease(kernel)),
    attempt('page tables at _stext', () => checkImage(kernel)),
  ]
  const passed = steps.every((s) => s.result !== 'failed') && steps.some((s) => s.result === 'passed')
  return { passed, steps }
}

type Finding = Omit<CheckStep, 'name'>

function attempt(name: string, check: () => Finding): CheckStep {
  try {
    return { name, ...check() }
  } catch (error) {
    if (!(error instanceof DumpError)) throw error
    return { name, result: 'failed', found: printableLine(error.message) }
  }
}

function checkRelease(kernel: Kernel): Finding {
  const expected = kernel.vmcoreinfo.release
  const { sysname, release } = readUtsname(kernel)
  const found = printableLine(`${sysname} ${release}`)
  if (expected === undefined) return { result: 'unknown', found }
  return { result: sysname === 'Linux' && release === expected ? 'passed' : 'failed', found }
}

function checkImage({ vmcoreinfo, memory }: Kernel): Finding {
  const text = vmcoreinfo.symbol('_stext')
  if (text === undefined) return { result: 'unknown', found: 'VMCOREINFO has no SYMBOL(_stext)' }
  const rule = memory.translate(text)
  const walked = memory.walk(text)
  const found = `${hex(text)} is at ${walked === undefined ? 'no page' : hex(walked)}`
  // Under the hash MMU of ppc64 the image is in no page table.
  if (walked === undefined) return { result: rule === undefined ? 'failed' : 'unknown', found }
  return walked === rule
    ? { result: 'passed', found }
    : { result: 'failed', found: `${found}, by rule at ${rule === undefined ? 'no page' : hex(rule)}` }
}
