// The judge is the kernel itself: the records it logged between a snapshot of its memory and its crash
// are added to the snapshot's log, which then must be the one in the real dump, byte for byte.

import { describe, expect, it } from 'vitest'
import { ppc64le } from '../../../src/core/arch/ppc64.ts'
import { openKernel } from '../../../src/core/kernel/kernel.ts'
import { readLog, textBytes } from '../../../src/core/kernel/printk.ts'
import { appendToLog, type NewRecord, printkLeftover } from '../../../src/core/kernel/printk-writer.ts'
import { VirtualMemory } from '../../../src/core/memory/virtual.ts'
import { openDump } from '../../../src/formats/index.ts'
import { demoMachine, fixture } from '../../fixtures/index.ts'

/** Physical addresses and sizes in this kernel: ring, descriptors, record headers, text. */
const ring = { at: 0x121bd98, size: 88 }
const descs = { at: 0x1273e18, count: 4096, size: 24 }
const infos = { at: 0x121be18, size: 88 }
const text = { at: 0x1330d58, size: 0x20000 }
/** Source position and name of a device are more than the writer gives. */
const infoHead = 24

describe('log writer and the real kernel', () => {
  it('agree on every byte of 25 records', () => {
    using before = openDump(demoMachine)
    using after = openDump(fixture('ppc64le-7.2-fadump/vmcore'))
    const kernel = openKernel(after)
    const { vmcoreinfo, pageSize } = kernel
    const read = (dump: typeof after, address: number, size: number): Buffer => {
      const bytes = Buffer.alloc(size)
      dump.memory.read(address, bytes)
      return bytes
    }
    const translation = ppc64le.openTranslation({
      facts: vmcoreinfo,
      memory: before.memory,
      pageSize,
      segments: [],
    })
    const memory = new VirtualMemory(before.memory, translation, { pageSize, littleEndian: true })
    const last = readLog({ memory, vmcoreinfo }).records.at(-1)?.seq ?? 0
    const fresh = readLog(kernel).records.filter(({ seq }) => seq > last)
    expect(fresh.length).toBeGreaterThan(20)
    expect(fresh.map((record) => record.text)).toContain('Kernel panic - not syncing: sysrq triggered crash')

    const explained: string[] = []
    const records = fresh.map((record): NewRecord => {
      const info = read(after, infos.at + record.seq * infos.size, infos.size)
      const desc = read(after, descs.at + record.seq * descs.size, descs.size)
      const message = textBytes(record)
      const flags = info.readUInt8(19) & 31
      // Whether a call of printk() named a level is not recorded, and several calls may make one record
      // (pr_cont): what the block holds behind the text tells.
      const room = Number(desc.readBigUInt64LE(16) - desc.readBigUInt64LE(8)) - 8
      const start = text.at + Number(desc.readBigUInt64LE(8) & BigInt(text.size - 1)) + 8
      const real = read(after, start + message.length, room - message.length)
      const known = [true, false]
        .map((hasPrefix) => printkLeftover(message, hasPrefix, (flags & 2) !== 0))
        .find((one) => real.subarray(0, one.length).equals(one) && real.length - one.length < 8)
      if (known !== undefined) explained.push(record.text)
      return {
        timeNs: info.readBigUInt64LE(8),
        text: message,
        leftover: known ?? real,
        level: info.readUInt8(19) >> 5,
        flags,
        facility: info.readUInt8(18),
        caller: info.readUInt32LE(20),
      }
    })
    expect(explained).toHaveLength(13)
    expect(explained).toContain('Kernel panic - not syncing: sysrq triggered crash')
    // The parts as the snapshot has them, with the writes on top.
    const ours = {
      ring: read(before, ring.at, ring.size),
      descs: read(before, descs.at, descs.count * descs.size),
      infos: read(before, infos.at, (last + fresh.length + 1) * infos.size),
      text: read(before, text.at, text.size),
    }
    const places = { ring: ring.at, descs: descs.at, infos: infos.at, text: text.at }
    for (const { address, bytes } of appendToLog({ memory, vmcoreinfo }, records)) {
      const [name, at] = Object.entries(places)
        .filter(([, start]) => address >= start)
        .reduce((best, one) => (one[1] > best[1] ? one : best)) as [keyof typeof ours, number]
      expect(address - at + bytes.length).toBeLessThanOrEqual(ours[name].length)
      ours[name].set(bytes, address - at)
    }
    // But for last_finalized_seq (byte 40), which no reader of dumps needs and nobody exports.
    const realRing = read(after, ring.at, ring.size)
    for (const bytes of [ours.ring, realRing]) bytes.fill(0, 40, 48)
    expect(ours.ring.toString('hex')).toBe(realRing.toString('hex'))
    expect(ours.descs.equals(read(after, descs.at, ours.descs.length))).toBe(true)
    expect(ours.text.equals(read(after, text.at, text.size))).toBe(true)
    for (let seq = last + 1; seq < last + 1 + fresh.length; seq++) {
      const real = read(after, infos.at + seq * infos.size, infoHead)
      expect(ours.infos.subarray(seq * infos.size, seq * infos.size + infoHead).equals(real)).toBe(true)
    }
  })
})
