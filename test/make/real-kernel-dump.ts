// The property `ibm,kernel-dump` that QEMU's firmware left after a real crash, as its console printed it.

import { fixtureText } from '../fixtures/index.ts'

export function realKernelDump(): Buffer {
  const text = fixtureText('ppc64le-7.2-fadump', 'console.txt').split('KERNELDUMP')[1] ?? ''
  const rows = text.matchAll(/^000000[0-9a-f]0 {2}([0-9a-f ]+)\|/gm)
  return Buffer.from([...rows].map((row) => row[1]?.replaceAll(' ', '')).join(''), 'hex')
}
