import { describe, expect, it } from 'vitest'
import { RefusedError } from '../../../src/core/errors.ts'
import { commandsBetween, requireStage } from '../../../src/core/machine/lifecycle.ts'
import type { MachineStage } from '../../../src/formats/machine-image/state.ts'

const at = (stage: MachineStage) => ({ path: 'm', state: { stage } })
const stages: readonly MachineStage[] = ['production', 'registered', 'crashed', 'capture']

function refusal(stage: MachineStage, wanted: MachineStage, command: string): RefusedError {
  try {
    requireStage(at(stage), wanted, command)
  } catch (error) {
    if (error instanceof RefusedError) return error
    throw error
  }
  throw new Error('not refused')
}

describe('life cycle', () => {
  it.each(stages)('lets a command run at its own stage: %s', (stage) => {
    requireStage(at(stage), stage, 'any')
    requireStage(at(stage), ['production', 'registered', 'crashed', 'capture'], 'any')
  })

  it('refuses trigger on a machine that is not registered', () => {
    const error = refusal('production', 'registered', 'trigger')
    expect(error.message).toBe('trigger: the machine is not registered')
    expect(error.hint).toBe('it runs its production kernel, not registered; first run fadump register m')
    expect(error.exitCode).toBe(4)
  })

  it('says every step of the way', () => {
    expect(refusal('crashed', 'registered', 'trigger').hint).toBe(
      'it has crashed; first run fadump boot-capture m, then fadump release m, then fadump register m',
    )
    expect(refusal('registered', 'capture', 'release').hint).toBe(
      'it is registered; first run fadump trigger m, then fadump boot-capture m',
    )
  })

  it.each(stages.flatMap((from) => stages.map((to) => [from, to] as const)))(
    'leads from %s to %s',
    (from, to) => {
      const steps = (stages.indexOf(to) - stages.indexOf(from) + 4) % 4
      expect(commandsBetween(from, to)).toHaveLength(steps)
    },
  )
})
