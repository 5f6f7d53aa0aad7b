// Built machines of the architectures that have no real dump of every kind, filtered into both formats;
// what s390x writes in big-endian is looked up by hand, at the offsets of makedumpfile's C structs.

import { describe, expect, it } from 'vitest'
import { Bitmap } from '../../../src/core/bitmap.ts'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import { readUtsname } from '../../../src/core/kernel/uts.ts'
import { filterBytes } from '../../make/filtered.ts'
import { type PageEra, pageEras } from '../../make/page-eras.ts'
import { machinePages } from '../../make/page-machine.ts'
import { isLeftOut, makeScenes } from '../../make/page-scenes.ts'
import { otherPlatforms, s390xPlatform } from '../../make/platforms.ts'

const era = pageEras.at(-1) as PageEra

describe.each(otherPlatforms)('a dump of $name', (platform) => {
  it.each(['kdump', 'elf'] as const)(
    'filtered at level 30 into %s is the same kernel with the right pages',
    async (format) => {
      const { machine, scenes } = makeScenes(era, platform)
      const { dump, result } = await filterBytes(machine.elfCore(), { level: 30, format, codec: 'zlib' })
      const kept = new Bitmap(machine.firstPfn + machinePages)
      kept.setRange(machine.firstPfn, kept.length)
      for (const { name, kind, pfn, pages } of scenes) {
        if (isLeftOut(kind, 30) || name.startsWith('broken')) kept.clearRange(pfn, pfn + pages)
      }
      expect(result.pages.kept).toBe(kept.count())
      // An ELF file has short runs of what was left out as zeros.
      if (format === 'kdump') expect(dump.memory.storedPages(4096).bytes).toEqual(kept.bytes)
      const page = new Uint8Array(4096)
      const original = new Uint8Array(4096)
      for (let pfn = kept.next(0); pfn >= 0; pfn = kept.next(pfn + 1)) {
        dump.memory.read(pfn * 4096, page)
        machine.memory.read(pfn * 4096, original)
        if (Buffer.compare(page, original) !== 0) throw new Error(`page ${pfn} has other bytes`)
      }
      const kernel = openKernel(dump)
      const name = { machine: platform.utsMachine, release: era.release }
      expect(kernel.arch.utsMachine).toBe(platform.utsMachine)
      expect(readUtsname(kernel)).toMatchObject(name)
    },
  )
})

describe('a kdump file of s390x', () => {
  it('has big-endian numbers, and bitmaps that begin with the lowest bit', async () => {
    const { machine, scenes } = makeScenes(era, s390xPlatform)
    const { view } = await filterBytes(machine.elfCore(), { level: 30, codec: 'zlib' })
    expect(view.getInt32(8)).toBe(6)
    // After struct new_utsname (390 bytes, padded) and struct timeval.
    const [status, blockSize, subHeaderBlocks, bitmapBlocks, maxMapnr] = [424, 428, 432, 436, 440].map((at) =>
      view.getInt32(at),
    ) as [number, number, number, number, number]
    expect({ status, blockSize, maxMapnr }).toEqual({ status: 1, blockSize: 4096, maxMapnr: machinePages })
    const bitmap2 = (1 + subHeaderBlocks + bitmapBlocks / 2) * blockSize
    const isStored = (pfn: number) => ((view.getUint8(bitmap2 + (pfn >> 3)) >> (pfn & 7)) & 1) === 1
    const anonymous = scenes.find(({ name }) => name === 'anonymous memory')?.pfn ?? 0
    expect([isStored(anonymous - 1), isStored(anonymous), isStored(anonymous + 1)]).toEqual([
      true,
      false,
      true,
    ])
    // The first page descriptor: where its data is, how long, packed by zlib.
    const descriptors = (1 + subHeaderBlocks + bitmapBlocks) * blockSize
    expect(Number(view.getBigInt64(descriptors))).toBeGreaterThan(descriptors)
    expect(view.getUint32(descriptors + 8)).toBeLessThan(4096)
    expect(view.getUint32(descriptors + 12)).toBe(1)
  })
})
