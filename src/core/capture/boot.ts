// The memory-preserving boot. A dump the kernel accepts is there to be read afterwards; one that it
// refuses is given up as the kernel gives it up, and the machine runs on in production.

import type { MachineImage } from '../../formats/machine-image/image.ts'
import { finishCrash } from '../firmware/crash.ts'
import { requireStage } from '../machine/lifecycle.ts'
import { addMessages } from '../machine/messages.ts'
import { type AcceptedDump, planCapture } from './plan.ts'
import { giveUpDump } from './release.ts'

/**
 * Boot the capture kernel.
 * @throws {RefusedError} the machine has not crashed, or the kernel refuses the dump: then the machine
 *   is in production again and the dump is lost.
 */
export function bootCapture(image: MachineImage): AcceptedDump {
  finishCrash(image)
  requireStage(image, 'crashed', 'boot-capture')
  const plan = planCapture(image)
  const booted = addMessages({ ...image.state, boots: image.state.boots + 1 }, 'kernel', plan.messages)
  if (!plan.isAccepted) {
    giveUpDump(image, booted, plan.config)
    throw plan.error
  }
  const { capture, config } = plan
  writeBuffer(image, capture.elfcorehdrAddress, capture.elfcorehdrSize, plan.elfcorehdr)
  writeBuffer(image, capture.noteBufferAddress, capture.noteBufferSize, plan.notes)
  image.update({ ...booted, stage: 'capture', fadump: config, capture })
  return plan
}

/** A buffer the kernel got zeroed. */
function writeBuffer({ ram }: MachineImage, address: number, size: number, bytes: Uint8Array): void {
  const buffer = new Uint8Array(size)
  buffer.set(bytes)
  ram.write(address, buffer)
}
