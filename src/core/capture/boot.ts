// The memory-preserving boot. A dump the kernel accepts is there to be read afterwards; one that it
// refuses is given up as the kernel gives it up, and the machine runs on in production.

import type { MachineImage } from '../../formats/machine-image/image.ts'
import { RefusedError } from '../errors.ts'
import { finishCrash } from '../firmware/crash.ts'
import { requireStage } from '../machine/lifecycle.ts'
import { addMessages } from '../machine/messages.ts'
import { type AcceptedDump, planCapture } from './plan.ts'
import { giveUpDump } from './release.ts'

export interface CaptureBoot extends AcceptedDump {
  /** It had been booted before, and nothing was done. */
  readonly isRepeated: boolean
}

/**
 * Boot the capture kernel.
 * @throws {RefusedError} the machine has not crashed, or the kernel refuses the dump: then the machine
 *   is in production again and the dump is lost.
 */
export function bootCapture(image: MachineImage): CaptureBoot {
  finishCrash(image)
  requireStage(image, ['crashed', 'capture'], 'boot-capture')
  const plan = planCapture(image)
  if (image.state.stage === 'capture' && plan.isAccepted) return { ...plan, isRepeated: true }
  const booted = addMessages({ ...image.state, boots: image.state.boots + 1 }, 'kernel', plan.messages)
  if (!plan.isAccepted) {
    const { messages } = giveUpDump(image, booted, plan.config)
    throw new RefusedError(plan.error.message, {
      printed: [...plan.messages, ...messages].filter((line) => line !== plan.error.message),
      hint: 'the dump is lost; the machine runs on in production and can be registered again',
      cause: plan.error,
    })
  }
  const { capture, config } = plan
  writeBuffer(image, capture.elfcorehdrAddress, capture.elfcorehdrSize, plan.elfcorehdr)
  writeBuffer(image, capture.noteBufferAddress, capture.noteBufferSize, plan.notes)
  image.update({ ...booted, stage: 'capture', fadump: config, capture })
  return { ...plan, isRepeated: false }
}

/** A buffer the kernel got zeroed. */
function writeBuffer({ ram }: MachineImage, address: number, size: number, bytes: Uint8Array): void {
  if (bytes.length > size) {
    throw new RefusedError(`the capture kernel's buffer of ${size} bytes is too small for ${bytes.length}`)
  }
  const buffer = new Uint8Array(size)
  buffer.set(bytes)
  ram.write(address, buffer)
}
