// Opens the machine that a command works on.

import { type MachineImage, type OpenOptions, openMachineImage } from '../formats/machine-image/image.ts'
import type { Ui } from '../ui/output.ts'

/** Says what is wrong with the image, though the machine in it is whole. @throws as openMachineImage. */
export function openMachine(ui: Ui, path: string, options?: OpenOptions): MachineImage {
  const image = openMachineImage(path, options)
  for (const warning of image.warnings) ui.warn(warning)
  return image
}
