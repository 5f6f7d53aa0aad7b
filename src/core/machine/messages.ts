// What kernel and firmware printed, kept in their own words and in order.

import type { MachineMessage, MachineState } from '../../formats/machine-image/state.ts'

/** The state with more of what was printed in the current boot. */
export const addMessages = (
  state: MachineState,
  source: MachineMessage['source'],
  texts: readonly string[],
): MachineState => ({
  ...state,
  messages: [...state.messages, ...texts.map((text) => ({ boot: state.boots, source, text }))],
})
