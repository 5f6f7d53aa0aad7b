// The life of a machine: production → registered → crashed → capture → production. Every other order is
// refused by name.

import type { MachineMessage, MachineStage, MachineState } from '../../formats/machine-image/state.ts'
import { RefusedError } from '../errors.ts'

const found: Record<MachineStage, string> = {
  production: 'the machine is not registered',
  registered: 'the machine is registered and has not crashed',
  crashed: 'the machine has crashed',
  capture: 'the machine runs the capture kernel',
}

const next: Record<MachineStage, string> = {
  production: 'fadump register comes next',
  registered: 'fadump trigger comes next',
  crashed: 'fadump boot-capture comes next',
  capture: 'filter or save the dump, then fadump release',
}

/** @throws {RefusedError} `trigger: the machine is not registered`. */
export function requireStage(state: MachineState, command: string, allowed: readonly MachineStage[]): void {
  if (allowed.includes(state.stage)) return
  throw new RefusedError(`${command}: ${found[state.stage]}`, { errno: 'EPERM', hint: next[state.stage] })
}

/** The state with more of what was printed in the current boot. */
export const addMessages = (
  state: MachineState,
  source: MachineMessage['source'],
  texts: readonly string[],
): MachineState => ({
  ...state,
  messages: [...state.messages, ...texts.map((text) => ({ boot: state.boots, source, text }))],
})
