// The ELF core header of a machine without booting it, or as its capture kernel has it.

import type { MachineImage } from '../../formats/machine-image/image.ts'
import { RefusedError } from '../errors.ts'
import { requireStage } from '../machine/lifecycle.ts'
import { OutputFile, type OutputOptions } from '../output-file.ts'
import { type AcceptedDump, planCapture } from './plan.ts'

/**
 * @throws {RefusedError} the machine has not crashed, its crash was interrupted, or its capture kernel
 *   would refuse the dump.
 */
export function readElfcorehdr(image: MachineImage): AcceptedDump {
  requireStage(image, ['crashed', 'capture'], 'gen-elfcorehdr')
  if (image.state.firmwareState.copying) {
    throw new RefusedError('gen-elfcorehdr: the crash was interrupted before all memory was saved', {
      hint: `fadump trigger ${image.path} finishes it`,
    })
  }
  const plan = planCapture(image)
  if (plan.isAccepted) return plan
  const { message } = plan.error
  throw new RefusedError(message, {
    printed: plan.messages.filter((line) => line !== message),
    hint: 'boot-capture will refuse this dump, too, and the dump will be lost',
  })
}

/** @throws {TargetError} the file exists and `force` is not given, or cannot be written. */
export function writeElfcorehdrFile(
  path: string,
  { elfcorehdr }: AcceptedDump,
  options: OutputOptions,
): void {
  using output = new OutputFile(path, options)
  output.write(0, elfcorehdr)
  output.commit()
}
