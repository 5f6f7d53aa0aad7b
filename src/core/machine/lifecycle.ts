// The life of a machine is a circle: production → registered → crashed → capture → production. A command
// works at some stages; at any other it is refused, and told which commands lead from here to there.

import type { MachineStage } from '../../formats/machine-image/state.ts'
import { RefusedError } from '../errors.ts'

/** Each stage, the command that leaves it, and how people say it. */
const circle = [
  {
    stage: 'production',
    next: 'register',
    is: 'runs its production kernel, not registered',
    isNot: 'does not run its production kernel',
  },
  { stage: 'registered', next: 'trigger', is: 'is registered', isNot: 'is not registered' },
  { stage: 'crashed', next: 'boot-capture', is: 'has crashed', isNot: 'has not crashed' },
  {
    stage: 'capture',
    next: 'release',
    is: 'runs its capture kernel',
    isNot: 'does not run its capture kernel',
  },
] as const satisfies readonly { stage: MachineStage; next: string; is: string; isNot: string }[]

/** `has crashed`, to follow "the machine". */
export const renderStage = (stage: MachineStage): string => entry(stage).is

const entry = (stage: MachineStage) => circle[indexOf(stage)] as (typeof circle)[number]

const indexOf = (stage: MachineStage): number => circle.findIndex((one) => one.stage === stage)

/** The commands that lead from one stage to another, in order; none when it is there already. */
export function commandsBetween(from: MachineStage, to: MachineStage): readonly string[] {
  const steps: string[] = []
  for (let at = indexOf(from); circle[at]?.stage !== to; at = (at + 1) % circle.length) {
    steps.push((circle[at] as (typeof circle)[number]).next)
  }
  return steps
}

/**
 * Refuse `command` unless the machine is at one of the wanted stages, the usual one first.
 * @throws {RefusedError} `trigger: the machine is not registered`, with what to run instead.
 */
export function requireStage(
  machine: { readonly path: string; readonly state: { readonly stage: MachineStage } },
  wanted: MachineStage | readonly [MachineStage, ...MachineStage[]],
  command: string,
): void {
  const stages = typeof wanted === 'string' ? ([wanted] as const) : wanted
  const { stage } = machine.state
  if (stages.includes(stage)) return
  const steps = stages
    .map((one) => commandsBetween(stage, one))
    .reduce((best, path) => (path.length < best.length ? path : best))
  throw new RefusedError(`${command}: the machine ${entry(stages[0]).isNot}`, {
    errno: 'EPERM',
    hint: `it ${renderStage(stage)}; first run ${steps.map((step) => `fadump ${step} ${machine.path}`).join(', then ')}`,
  })
}
