import { describe, expect, it } from 'vitest'
import { BufferSource } from '../../../src/core/byte-source.ts'
import { FaultError } from '../../../src/core/errors.ts'
import { searchVmcoreinfo, withVmcoreinfo } from '../../../src/core/kernel/search-vmcoreinfo.ts'
import type { Dump } from '../../../src/formats/dump.ts'
import { openDump, openSource } from '../../../src/formats/index.ts'
import { demoMachine, fixture } from '../../fixtures/index.ts'
import { makeElfCore, makeVmcoreinfo } from '../../make/elf-core.ts'

const text = 'OSRELEASE=6.1.0\nPAGESIZE=4096\nSYMBOL(_stext)=ffffffff81000000\n'

/** 4 MiB of zeros with these things at these places. */
function dumpWith(parts: readonly (readonly [number, Uint8Array | string])[]): Dump {
  const data = Buffer.alloc(2 ** 22)
  for (const [at, part] of parts) data.set(typeof part === 'string' ? Buffer.from(part) : part, at)
  return openSource(new BufferSource(makeElfCore({ segments: [{ physical: 0x100000, data }] })))
}

describe('VMCOREINFO in memory', () => {
  it('is what the kernel exports at its crash, but for the crash time', () => {
    using before = openDump(demoMachine)
    using after = openDump(fixture('ppc64le-7.2-fadump/vmcore'))
    expect(before.vmcoreinfo).toBeUndefined()
    expect(searchVmcoreinfo(before)?.text).toBe(after.vmcoreinfo?.replace(/CRASHTIME=\d+\n/, ''))
  })

  it('is taken from the note, not from the copy before it', () => {
    const dump = dumpWith([
      [0x4000, text],
      [0x305000, makeVmcoreinfo(`${text}CRASHTIME=1\n`)],
    ])
    expect(searchVmcoreinfo(dump)).toEqual({ text: `${text}CRASHTIME=1\n`, address: 0x405000 })
  })

  it('is the bare text when there is no note, however long', () => {
    const long = `${text}${'LENGTH(x)=1\n'.repeat(1000)}`
    expect(searchVmcoreinfo(dumpWith([[0x7000, long]]))).toEqual({ text: long, address: 0x107000 })
  })

  it.each([
    ['the format it is printed with', 'OSRELEASE=%s\nPAGESIZE=%ld\n'],
    ['text that only begins alike', 'OSRELEASE=6.1.0\nnothing else'],
    ['a note that claims 4 GiB', Buffer.concat([makeVmcoreinfo(text)].map((note) => note.fill(0xff, 4, 8)))],
    ['a note of something else', makeVmcoreinfo('hello')],
  ])('is not %s', (_, part) => {
    expect(searchVmcoreinfo(dumpWith([[0x4000, part]]))).toBeUndefined()
  })

  it('is found beside pages that cannot be read', () => {
    const dump = dumpWith([[0x5000, text]])
    const { memory } = dump
    const holes: Dump = {
      ...dump,
      memory: {
        ...memory,
        read(address, into) {
          if (address <= 0x104000 && address + into.length > 0x104000) {
            throw new FaultError('physical', address, into.length, 'truncated')
          }
          memory.read(address, into)
        },
      },
    }
    expect(searchVmcoreinfo(holes)?.address).toBe(0x105000)
  })
})

describe('a dump that lacks the note', () => {
  it('gets one that reads as the note a kernel writes', () => {
    const dump = withVmcoreinfo(dumpWith([[0x4000, text]]))
    expect(dump.vmcoreinfo).toBe(text)
    expect(dump.noteBytes).toEqual(Buffer.from(makeVmcoreinfo(text)))
    expect(dump.notes).toMatchObject([{ name: 'VMCOREINFO', type: 0 }])
  })

  it('gets the bytes that are there, also those beyond ASCII', () => {
    const odd = Buffer.concat([Buffer.from(text), Buffer.from([0x41, 0x3d, 0xc3, 0xff, 0x0a])])
    const dump = withVmcoreinfo(dumpWith([[0x4000, odd]]))
    expect(Buffer.from(dump.notes[0]?.desc ?? [])).toEqual(odd)
  })

  it('stays as it is when its memory holds none either', () => {
    const dump = dumpWith([])
    expect(withVmcoreinfo(dump)).toBe(dump)
  })
})
