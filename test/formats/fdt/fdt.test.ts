import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DumpError } from '../../../src/core/errors.ts'
import { readDeviceTree } from '../../../src/formats/fdt/reader.ts'
import {
  cells,
  type DeviceNode,
  doubleCells,
  findNode,
  makeNode,
  strings,
  withProperty,
} from '../../../src/formats/fdt/tree.ts'
import { writeDeviceTree } from '../../../src/formats/fdt/writer.ts'

const sample = makeNode('', { model: strings('a machine') }, [
  makeNode('rtas', { 'ibm,os-term': cells(0x201f), 'ibm,extended-os-term': new Uint8Array() }),
  makeNode('memory@0', { device_type: strings('memory'), reg: doubleCells(0, 0x140000000) }),
])

const name = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 31 })
const properties = fc
  .array(fc.tuple(name, fc.uint8Array({ maxLength: 9 })), { maxLength: 5 })
  .map((pairs) => new Map(pairs))
const { node } = fc.letrec<{ node: DeviceNode }>((tie) => ({
  node: fc.record({
    name,
    properties,
    children: fc.oneof({ maxDepth: 4 }, fc.constant([]), fc.array(tie('node'), { maxLength: 3 })),
  }),
}))

describe('flattened device tree', () => {
  it('writes the bytes of the specification for a tree of one property', () => {
    const blob = writeDeviceTree(makeNode('', { ab: cells(7) }))
    expect(Buffer.from(blob).toString('hex')).toBe(
      // magic, total size, structure, names, reservations, 17, 16, CPU, size of names, size of structure
      `d00dfeed${'0000005b'}${'00000038'}${'00000058'}${'00000028'}0000001100000010${'00000000'}${'00000003'}${'00000020'}` +
        // end of the reservations
        `${'00'.repeat(16)}` +
        // node "", property of 4 bytes with name 0, 7, end of node, end; "ab"
        `0000000100000000${'000000030000000400000000'}00000007${'0000000200000009'}616200`,
    )
  })

  it('reads what it wrote', () => {
    fc.assert(
      fc.property(node, (root) => {
        expect(readDeviceTree(writeDeviceTree(root), 'blob')).toEqual(root)
      }),
    )
  })

  it('reads version 16, which does not say how long the structure block is', () => {
    const blob = writeDeviceTree(sample)
    blob.set(cells(16), 20)
    blob.set(cells(0), 36)
    expect(readDeviceTree(blob, 'blob')).toEqual(sample)
  })

  it('ignores bytes after the blob', () => {
    const blob = Buffer.concat([writeDeviceTree(sample), Buffer.alloc(100, 0xff)])
    expect(readDeviceTree(blob, 'blob')).toEqual(sample)
  })

  it('skips NOP tokens', () => {
    const blob = writeDeviceTree(makeNode('', { x: new Uint8Array(0) }))
    // the property (3 words, no value) becomes three NOPs
    blob.set(cells(4, 4, 4), 0x38 + 8)
    expect(readDeviceTree(blob, 'blob')).toEqual(makeNode('', {}))
  })

  it('finds nodes by path and sets properties without touching the old tree', () => {
    const changed = withProperty(sample, '/rtas', 'ibm,kernel-dump', cells(1))
    expect(findNode(changed, '/rtas')?.properties.get('ibm,kernel-dump')).toEqual(cells(1))
    expect(findNode(sample, '/rtas')?.properties.has('ibm,kernel-dump')).toBe(false)
    expect(withProperty(changed, '/rtas', 'ibm,kernel-dump', undefined)).toEqual(sample)
    expect(findNode(sample, '/nothing/there')).toBeUndefined()
  })
})

describe('damaged device tree', () => {
  const blob = writeDeviceTree(sample)
  const outcome = (bytes: Uint8Array): unknown => {
    try {
      return readDeviceTree(bytes, 'blob')
    } catch (error) {
      return error
    }
  }

  it.each(Array.from({ length: 10 }, (_, i) => i * 4))('is noticed, header field at byte %i', (at) => {
    const view = new DataView(blob.buffer)
    const value = view.getUint32(at)
    for (const wrong of [0, 0xffffffff, value - 1, value + 1]) {
      const bytes = blob.slice()
      new DataView(bytes.buffer).setUint32(at, wrong >>> 0)
      const result = outcome(bytes)
      if (!(result instanceof DumpError)) expect(result).toHaveProperty('children')
    }
  })

  it('is noticed wherever it is cut', () => {
    for (let length = 0; length < blob.length; length++) {
      expect(outcome(blob.subarray(0, length)), `${length} bytes`).toBeInstanceOf(DumpError)
    }
  })

  it('never leads to anything but a tree or an error, one byte changed', () => {
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bytes = blob.slice()
        bytes[at] = (bytes[at] as number) ^ flip
        const result = outcome(bytes)
        if (!(result instanceof DumpError)) expect(result).toHaveProperty('properties')
      }),
      { numRuns: 1000 },
    )
  })

  it('is written in no time with a hundred thousand names', () => {
    const names = Array.from({ length: 1e5 }, (_, i) => `p${i}`)
    const root = makeNode('', Object.fromEntries(names.map((name) => [name, new Uint8Array(0)])))
    expect([...readDeviceTree(writeDeviceTree(root), 'tree').properties.keys()]).toEqual(names)
  })

  it('is refused when nodes nest without end', () => {
    const structure = cells(...Array.from({ length: 1000 }, () => [1, 0]).flat())
    const header = cells(0xd00dfeed, 56 + structure.length, 56, 56, 40, 17, 16, 0, 0, structure.length)
    const nested = Buffer.concat([header, Buffer.alloc(16), structure])
    expect(outcome(nested)).toMatchObject({ expected: 'at most 64 levels' })
  })
})
