// A device tree as RTAS firmware gives it to a kernel, with as much as fadump reads.

import { cells, type DeviceNode, makeNode } from '../../src/formats/fdt/tree.ts'
import { regsaveSize } from '../../src/formats/regsave.ts'

export function makeRtasTree(possibleCpus = 2, kernelDump?: Uint8Array): DeviceNode {
  const rtas = makeNode('rtas', {
    'ibm,configure-kernel-dump': cells(0x202d),
    'ibm,configure-kernel-dump-sizes': cells(1, 0, regsaveSize(possibleCpus), 2, 0, 0),
    'ibm,kernel-dump': kernelDump,
  })
  return makeNode('', {}, [makeNode('chosen', {}), rtas])
}
