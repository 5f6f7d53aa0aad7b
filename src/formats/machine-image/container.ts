// A machine image as a dump: what /proc/vmcore of its capture kernel reads.

import type { Container } from '../index.ts'
import { readMachineImage } from './image.ts'
import { isMachineImage } from './slots.ts'
import { openVmcore } from './vmcore.ts'

export const machineContainer: Container = {
  name: 'machine',
  probe: (_, source) => isMachineImage(source),
  unwrap(source) {
    const image = readMachineImage(source)
    const { warnings } = image
    const { path } = source
    return { ...openVmcore(image), path, warnings, [Symbol.dispose]: () => source[Symbol.dispose]() }
  },
}
