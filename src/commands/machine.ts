// What the commands that open a machine have in common.

import type { MachineImage } from '../formats/machine-image/image.ts'
import type { Ui } from '../ui/output.ts'

/** One state slot could not be read: the machine is whole, but the user should know. */
export function warnOfDamage(ui: Ui, { path, slot }: MachineImage): void {
  if (slot.damaged === undefined) return
  const message = `${slot.damaged} is wrong; using the other state slot of ${path}`
  ui.warn({ code: 'SLOT_DAMAGED', message })
}
