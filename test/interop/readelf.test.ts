// readelf and the headers we write.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeElfHead } from '../../src/formats/elf/writer.ts'
import { makePrstatus } from '../make/elf-core.ts'
import { makeFolder } from '../make/folder.ts'
import { describeWithJudge, runJudge } from './judge.ts'

function readelf(option: string, loads: number): string {
  const segments = Array.from({ length: loads }, (_, i) => ({
    physical: i * 0x2000,
    virtual: BigInt(i * 0x2000),
    flags: 7,
    fileSize: 1,
    memorySize: 0x1000,
    dataOffset: i,
  }))
  const notes = makePrstatus(336)
  const head = writeElfHead({ machine: 62, littleEndian: true, flags: 0, notes, loads: segments })
  const path = join(makeFolder(), 'core')
  writeFileSync(path, Buffer.concat([head, new Uint8Array(loads)]))
  return runJudge('readelf', [option, '-W', path]).toString()
}

describeWithJudge('readelf', 'readelf', () => {
  it.each([1, 65_533, 65_534, 70_000])('sees all of %i segments', (loads) => {
    expect(readelf('-l', loads).match(/^ {2}LOAD /gm)).toHaveLength(loads)
  })

  it('finds the note of a CPU behind a section header', () => {
    expect(readelf('-n', 70_000)).toMatch(/CORE\s+0x00000150\s+NT_PRSTATUS/)
  })
})
