// Machines that ran under QEMU: what its MMU said of addresses while they stood still, its registers, and
// the log as makedumpfile prints it.

import { describe, expect, it } from 'vitest'
import { type Kernel, openKernel } from '../../../src/core/kernel/kernel.ts'
import { readLog } from '../../../src/core/kernel/printk.ts'
import { withVmcoreinfo } from '../../../src/core/kernel/search-vmcoreinfo.ts'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'
import { VirtualMemory } from '../../../src/core/memory/virtual.ts'
import { findPrstatus } from '../../../src/formats/elf/prstatus.ts'
import { openDump } from '../../../src/formats/index.ts'
import { expectedText, type FixtureCase, fixture } from '../../fixtures/index.ts'

const open = (name: FixtureCase): Kernel => openKernel(withVmcoreinfo(openDump(fixture(`${name}/vmcore`))))

/** Virtual and physical address, both in hexadecimal, or `unmapped`. */
const translations = (name: FixtureCase): string[][] =>
  expectedText(name, 'qemu-gva2gpa.txt')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))

const text = (physical: number | undefined): string => physical?.toString(16) ?? 'unmapped'

describe.each(['s390x-6.1-debian', 's390x-7.2-debian', 'riscv64-7.2-debian'] as const)('%s', (name) => {
  it('has every address where the MMU had it, by rule and by page tables', () => {
    const { dump, memory } = open(name)
    using _ = dump
    const expected = translations(name)
    const at = (address = '') => BigInt(`0x${address}`)
    expect(expected.map(([address]) => [address, text(memory.translate(at(address)))])).toEqual(expected)
    expect(expected.map(([address]) => [address, text(memory.walk(at(address)))])).toEqual(expected)
    expect(expected.length).toBeGreaterThan(60)
    expect(expected.filter(([, physical]) => physical === 'unmapped').length).toBeGreaterThan(5)
  })

  it('has the registers of both CPUs', () => {
    const { dump, arch } = open(name)
    using _ = dump
    const cpus = expectedText(name, 'qemu-registers.txt').split('CPU#').slice(1)
    const found = findPrstatus(dump.notes, arch)
    expect(found.length).toBe(cpus.length)
    cpus.forEach((cpu, i) => {
      // R00=… and mask … addr …, or x2/sp … and pc ….
      const shown = [...cpu.matchAll(/\b(?:R0?|x\d+\/)?(mask|addr|\w+?)[ =]+([0-9a-f]{16})/g)].map(
        ([, key = '', value]) => [nameOf[key] ?? key.replace(/^(?=\d)/, 'r'), BigInt(`0x${value}`)] as const,
      )
      const expected = Object.fromEntries(shown.filter(([key]) => key !== 'zero'))
      expect(found[i]?.registers).toEqual(expected)
    })
  })

  it('has the log that makedumpfile prints', () => {
    const kernel = open(name)
    using _ = kernel.dump
    const { records } = readLog(kernel)
    const expected = expectedText(name, 'makedumpfile-dmesg.txt').split('\n')
    const shown = records.map(({ timeUs, caller = '', text }) => {
      const time = (timeUs / 1e6).toFixed(6).padStart(12)
      return `[${time}] [${caller.padStart(8)}] ${text.split('\n')[0]}`
    })
    expect(shown).toEqual(expected.filter((line) => line.startsWith('[')))
  })

  it('has the levels of the records that were written with one of each', () => {
    const kernel = open(name)
    using _ = kernel.dump
    const levels = readLog(kernel).records.flatMap(({ text, level, facility }) => {
      const stated = /^fixture: a record of level (\d)$/.exec(text)?.[1]
      return stated === undefined ? [] : [{ stated: Number(stated), level, facility }]
    })
    // The kernel makes 1, user space, of the facility 0 that somebody writes to /dev/kmsg.
    expect(levels).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((level) => ({ stated: level, level, facility: 1 })))
  })
})

/** QEMU's names of the two halves of the PSW. */
const nameOf: Readonly<Record<string, string>> = { mask: 'pswm', addr: 'pswa' }

describe('s390x since Linux 6.10', () => {
  it('is where os_info says when VMCOREINFO does not', () => {
    const kernel = open('s390x-7.2-debian')
    using _ = kernel.dump
    const { dump, arch, pageSize } = kernel
    const facts = new Vmcoreinfo(kernel.vmcoreinfo.text.replace(/^(IDENTITYBASE|KERNELOFFPHYS)=.*\n/gm, ''))
    const translation = arch.openTranslation({ facts, memory: dump.memory, pageSize, segments: [] })
    const memory = new VirtualMemory(dump.memory, translation, { pageSize, littleEndian: false })
    for (const [address, physical] of translations('s390x-7.2-debian')) {
      expect(text(memory.translate(BigInt(`0x${address}`)))).toBe(physical)
    }
  })
})
