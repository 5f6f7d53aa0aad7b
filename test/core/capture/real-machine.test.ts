// The judge is reality: memory of a Linux 7.2 machine a few seconds before its crash, and what the real
// kernel and QEMU's firmware made of that crash: console, `ibm,kernel-dump`, /proc/vmcore. Our machine
// crashes on the same CPU at the same second. What then still differs is what kernel and SLOF did to
// memory in between, and the tests say which bytes those are.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hex } from '../../../src/core/address.ts'
import { type ByteSource, FileSource, readExactly } from '../../../src/core/byte-source.ts'
import { bootCapture } from '../../../src/core/capture/boot.ts'
import type { AcceptedDump } from '../../../src/core/capture/plan.ts'
import { crashMachine } from '../../../src/core/firmware/crash.ts'
import { type RegisterResult, registerDump } from '../../../src/core/firmware/register.ts'
import { createMachine } from '../../../src/core/machine/create.ts'
import { openMemorySource } from '../../../src/core/machine/memory-source.ts'
import type { PhysicalMemory } from '../../../src/core/memory/physical.ts'
import { openDump } from '../../../src/formats/index.ts'
import { type MachineImage, openMachineImage } from '../../../src/formats/machine-image/image.ts'
import { openVmcore } from '../../../src/formats/machine-image/vmcore.ts'
import { demoMachine, fixture, fixtureText } from '../../fixtures/index.ts'
import { realKernelDump } from '../../make/real-kernel-dump.ts'

const page = 65536
const console_ = fixtureText('ppc64le-7.2-fadump', 'console.txt')
/** CRASHTIME of the real crash, and the CPU it happened on. */
const time = 1795447218
const cpu = 1

let folder: string
let image: MachineImage
let registered: RegisterResult
let requested: string | undefined
let booted: AcceptedDump
let ours: ByteSource
let real: ByteSource

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fadump-real-'))
  const path = join(folder, 'machine')
  using source = openMemorySource({ from: demoMachine })
  await createMachine(path, source, { firmware: 'rtas' })
  image = openMachineImage(path, { write: true })
  registered = registerDump(image, { bootargsAppend: 'nr_cpus=1 fixtureparam=yes' })
  requested = image.state.firmwareState.fdm
  crashMachine(image, { cause: 'panic', reason: 'sysrq triggered crash', cpu, time })
  booted = bootCapture(image)
  ours = openVmcore(image)
  real = new FileSource(fixture('ppc64le-7.2-fadump/vmcore'))
})

afterAll(() => {
  real?.[Symbol.dispose]()
  image?.[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const read = (source: ByteSource, offset: number, length: number): Buffer =>
  Buffer.from(readExactly(source, offset, length, 'test'))

function ram(address: number, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  image.ram.read(address, bytes)
  return bytes
}

/** Offsets in which two buffers of one length differ. */
const differences = (a: Buffer, b: Buffer): number[] =>
  a.length === b.length ? Array.from(a.keys()).filter((at) => a[at] !== b[at]) : [Number.NaN]

/** Lines of kernel and driver about fadump in one of the two boots of the console. */
const kernelLines = (boot: number): string[] =>
  [
    ...(console_.split('Welcome to Open Firmware')[boot] ?? '').matchAll(
      /\]\[ .*\] ((?:rtas )?fadump: .*?)\r?$/gm,
    ),
  ]
    .map((match) => match[1] as string)
    .filter((line) => !line.includes('freeing reserved memory'))

describe('register on the real machine', () => {
  it('reserves what the real kernel reserved', () => {
    const { config } = registered
    expect(config).toMatchObject({ reserveStart: 0x14000000, reserveSize: 335610288 })
    expect(config.parameterArea).toBe(0x4ffff800)
    expect(console_).toContain(`/sys/kernel/fadump/mem_reserved: ${config.reserveSize}`)
  })

  it('prints what the real kernel printed', () => {
    expect(registered.messages).toEqual(kernelLines(1).slice(0, 3))
  })

  it('finds the structure where the real kernel keeps it, and writes the same bytes', () => {
    expect(registered.config.fdmAddress).toBe(0x1323458)
    using before = openDump(demoMachine)
    const kernels = Buffer.alloc(200)
    before.memory.read(0x1323458, kernels)
    expect(ram(0x1323458, 200).equals(kernels)).toBe(true)
    expect(requested).toBe(kernels.toString('hex'))
  })

  it('hands firmware the real structure but for the fields firmware writes', () => {
    const structure = realKernelDump()
    structure.writeUInt16BE(0, 6)
    for (let section = 0; section < 4; section++) {
      structure.writeUInt16BE(0, 40 + section * 40 + 6)
      structure.writeBigUInt64BE(0n, 40 + section * 40 + 24)
    }
    expect(requested).toBe(structure.toString('hex'))
  })
})

describe('trigger and boot-capture on the real machine', () => {
  it('leave the real ibm,kernel-dump', () => {
    expect(image.state.firmwareState.fdm).toBe(realKernelDump().toString('hex'))
  })

  it('merge the real command line', () => {
    const line = /^cmdline: (.*?)\r?$/m.exec(
      console_.split('CAPTURE BOOT')[0]?.split('Run /init').at(-1) ?? '',
    )?.[1]
    expect(booted.capture.commandLine).toBe(line)
    expect(line).toMatch(/yes nr_cpus=1 fixtureparam=yes$/)
  })

  it('print what the real capture kernel printed', () => {
    expect(booted.messages).toEqual(kernelLines(2))
  })
})

describe('our /proc/vmcore and the real one', () => {
  const registers = { start: 112, end: 112 + 384 }
  const noteSize = 524
  const descAt = 20

  it('are of one size', () => {
    expect(ours.size).toBe(1006698496)
    expect(real.size).toBe(1006698496)
  })

  it('have the same ELF header, program headers and padding, byte for byte', () => {
    expect(differences(read(ours, 0, page), read(real, 0, page))).toEqual([])
  })

  it('have the same notes, byte for byte, but for the registers in the two PRSTATUS notes', () => {
    const a = read(ours, page, page)
    const b = read(real, page, page)
    for (const bytes of [a, b]) {
      for (const at of [0, noteSize])
        bytes.fill(0, at + descAt + registers.start, at + descAt + registers.end)
    }
    // Compared: 65,536 bytes less twice 384; VMCOREINFO with its CRASHTIME is among them.
    expect(a.toString('latin1')).toContain(`CRASHTIME=${time}\n`)
    expect(differences(a, b)).toEqual([])
  })

  it('have the same crash info header in the gap before the second segment, but for the registers', () => {
    const at = 0x14020000
    const a = read(ours, at, 432)
    const b = read(real, at, 432)
    a.fill(0, 40, 40 + 384)
    b.fill(0, 40, 40 + 384)
    expect(a.subarray(0, 8).toString('latin1')).toBe('GISPMDAF')
    expect(differences(a, b)).toEqual([])
  })

  it('differ in registers because ours are those of the snapshot, as QEMU showed them', () => {
    const shown = fixtureText('ppc64le-7.2-fadump', 'registers-at-snapshot.txt').split(/^CPU#/m).slice(1)
    expect(shown).toHaveLength(2)
    for (const [id, text] of shown.entries()) {
      const at = page + id * noteSize + descAt + registers.start
      const bytes = read(ours, at, 384)
      const word = (n: number): string =>
        bytes
          .readBigUInt64LE(n * 8)
          .toString(16)
          .padStart(16, '0')
      const value = (name: string): string | undefined => new RegExp(`\\b${name} ([0-9a-f]+)`).exec(text)?.[1]
      const gprs = [...text.matchAll(/^GPR\d\d ([0-9a-f ]+?)\r?$/gm)].flatMap((m) => m[1]?.split(' ') ?? [])
      expect(gprs.map((_, n) => word(n))).toEqual(gprs)
      expect([word(32), word(33), word(35), word(36), word(37)]).toEqual(
        ['NIP', 'MSR', 'CTR', 'LR', 'XER'].map(value),
      )
      expect(word(38)).toBe(value('CR')?.padStart(16, '0'))
    }
  })
})

describe('every page of memory', () => {
  /** Physical address of each 64K page of the file's data, from the real program headers. */
  const pageAddress = (offset: number): number =>
    offset < 0x14020000 ? offset - 2 * page : offset - 0x14020000 + 0x28010000

  function compare(a: PhysicalMemory | ByteSource, b: ByteSource, start: number): Set<number> {
    const found = new Set<number>()
    const left = Buffer.alloc(page)
    const right = Buffer.alloc(page)
    for (let at = start; at < b.size; at += page) {
      if ('size' in a) a.read(at, left)
      else a.read(pageAddress(at), left)
      b.read(at, right)
      if (!left.equals(right)) found.add(pageAddress(at))
    }
    return found
  }

  it('is the one before the crash, but for what the dying kernel wrote', () => {
    using before = openDump(demoMachine)
    const written = compare(before.memory, ours, 2 * page)
    expect([...written].map((address) => hex(address))).toEqual([
      // printk: the ring and its record headers, descriptors, text
      '0x1210000',
      '0x1270000',
      '0x1330000',
      // VMCOREINFO: text, note
      '0x2530000',
      '0x2540000',
      // crash info header
      '0x28010000',
    ])
  })

  it('is the real one wherever the real kernel and SLOF changed nothing after the snapshot', () => {
    using before = openDump(demoMachine)
    const changedInReality = compare(before.memory, real, 2 * page)
    const differing = compare(ours, real, 2 * page)
    const total = (real.size - 2 * page) / page
    expect(total).toBe(15359)
    // Pages that are ours alone: none. Two that the real kernel changed are equal: VMCOREINFO's.
    expect([...differing].filter((address) => !changedInReality.has(address))).toEqual([])
    expect([...changedInReality].filter((address) => !differing.has(address))).toEqual([0x2530000, 0x2540000])
    const count = (start: number, end: number): number =>
      [...differing].filter((address) => address >= start && address < end).length
    const classes = {
      // The kernel ran on for seconds: its data, slab, stacks, page tables, user pages.
      bootMemory: count(0, 0x14000000),
      // Registers in the crash info header.
      crashInfo: count(0x28010000, 0x28020000),
      // SLOF works at the top of the real-mode area and knows nothing of the dump.
      slof: count(0x3db20000, 0x3fe10000),
      // Per-CPU areas, paca, struct pages, node data, user pages.
      highMemory: count(0x3fe10000, 0x50000000),
    }
    expect(changedInReality.size).toBe(184)
    expect(classes).toEqual({ bootMemory: 85, crashInfo: 1, slof: 69, highMemory: 27 })
    expect(total - differing.size).toBe(15177)
  })
})

describe('boot memory', () => {
  it('is read from the copy: nothing the capture kernel does there reaches the dump', () => {
    const before = read(ours, 0, 2 * page)
    const sample = read(ours, 0x1240000 + 2 * page, 16 * page)
    const { elfcorehdrAddress, noteBufferAddress } = booted.capture
    const top = Math.min(elfcorehdrAddress, noteBufferAddress)
    for (let at = 0; at < top; at += 16 * page)
      image.ram.write(at, Buffer.alloc(Math.min(16 * page, top - at), 0xa5))
    using again = openVmcore(image)
    expect(read(again, 0, 2 * page).equals(before)).toBe(true)
    expect(read(again, 0x1240000 + 2 * page, 16 * page).equals(sample)).toBe(true)
    expect(sample.every((byte) => byte === 0xa5)).toBe(false)
  })
})
