import { describe, expect, it } from 'vitest'
import { hex } from '../../../src/core/address.ts'
import { findArch } from '../../../src/core/arch/index.ts'
import { type CpuState, crashingCpu, readCpus } from '../../../src/core/kernel/cpus.ts'
import { findCrashInfo } from '../../../src/core/kernel/crash-info.ts'
import { type Kernel, openKernel } from '../../../src/core/kernel/kernel.ts'
import { Vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts'
import { abi64le } from '../../../src/core/struct.ts'
import type { Note } from '../../../src/formats/elf/notes.ts'
import { prstatusHead } from '../../../src/formats/elf/prstatus.ts'
import { qemuCpuState } from '../../../src/formats/elf/qemu-note.ts'
import { crashInfoMagic, parseCrashInfo, writeCpuMask, writeCrashInfo } from '../../../src/formats/fdh.ts'
import { openDump } from '../../../src/formats/index.ts'
import { expectedText, type FixtureCase, fixture } from '../../fixtures/index.ts'
import { kernelBase, makeKernelMemory } from '../../make/kernel-memory.ts'

/** What crash prints of the registers at a CPU's crash: the first of each name after `CPU: N`. */
function crashRegisters(name: FixtureCase, cpu: number): Map<string, string> {
  const text = expectedText(name, 'crash.txt').split(new RegExp(`^PID: .* CPU: ${cpu} `, 'm'))[1] ?? ''
  const registers = new Map<string, string>()
  for (const [, key, value] of (text.split('\nPID:')[0] ?? '').matchAll(
    /\b([A-Z][A-Z0-9]+): +([0-9a-f]{4,16})\b/g,
  )) {
    if (!registers.has(key as string)) registers.set(key as string, value as string)
  }
  return registers
}

const openCase = (name: FixtureCase): { kernel: Kernel; cpus: CpuState[] } => {
  const dump = openDump(fixture(`${name}/vmcore`))
  const kernel = openKernel(dump)
  const crashInfo = findCrashInfo(dump, kernel.pageSize)
  return { kernel, cpus: readCpus(kernel, { crashInfo }) }
}

describe('the CPUs of a real dump', () => {
  it.each([0, 1])("fadump: CPU %d has crash's registers", (cpu) => {
    const expected = crashRegisters('ppc64le-7.2-fadump', cpu)
    const { cpus } = openCase('ppc64le-7.2-fadump')
    const { registers } = cpus[cpu] as CpuState
    for (let n = 0; n < 32; n++) expect(hex(registers[`r${n}`] ?? 0n, 16)).toBe(`0x${expected.get(`R${n}`)}`)
    for (const name of ['nip', 'msr', 'ctr', 'xer', 'dar']) {
      expect(hex(registers[name] ?? 0n, 16), name).toBe(`0x${expected.get(name.toUpperCase())}`)
    }
  })

  it('fadump: notes have no process, the CPU in the kernel tells its number, the header the other', () => {
    const { kernel, cpus } = openCase('ppc64le-7.2-fadump')
    expect(cpus.map(({ cpu, mode, pid }) => [cpu, mode, pid])).toEqual([
      [{ value: 0, source: 'fadump header', confidence: 'exact' }, 'user', 0],
      [{ value: 1, source: 'paca', confidence: 'exact' }, 'kernel', 0],
    ])
    const crashInfo = findCrashInfo(kernel.dump, kernel.pageSize)
    expect(crashingCpu({ crashInfo })).toEqual({ value: 1, source: 'fadump header', confidence: 'exact' })
  })

  it('QEMU, x86_64: registers are those crash prints, control registers come with them', () => {
    const expected = crashRegisters('x86_64-7.2-small', 0)
    const { cpus } = openCase('x86_64-7.2-small')
    const { registers, cpu, mode } = cpus[0] as CpuState
    expect(cpu).toEqual({ value: 0, source: 'QEMU', confidence: 'exact' })
    expect(mode).toBe('kernel')
    for (const name of ['RIP', 'RSP', 'RCX', 'R8', 'R10']) {
      expect(hex(registers[name.toLowerCase()] ?? 0n, 16), name).toBe(`0x${expected.get(name)}`)
    }
    // CR0 and CR4 of the same machine in the oops its sibling printed: console.txt of the small dump has none
    expect(hex(registers.cr0 ?? 0n)).toBe('0x80050033')
  })

  it('QEMU, arm64: the panicking CPU stands where drgn says its stack begins', () => {
    const drgn = expectedText('arm64-7.2-debian', 'drgn.json')
    const pc = /"pid": 1,[^[]*"stack": \[\s*\{\s*"pc": "(0x[0-9a-f]+)"/.exec(drgn)?.[1]
    const { cpus } = openCase('arm64-7.2-debian')
    expect(hex(cpus[0]?.programCounter ?? 0n)).toBe(pc)
    expect(cpus.map(({ cpu }) => cpu.value)).toEqual([0, 1])
  })
})

describe('the CPUs of a real kdump', () => {
  it('the interrupted CPU has the user registers that crash found on its stack', () => {
    const kernel = openKernel(openDump(fixture('x86_64-6.1-debian/vmcore.kdump')))
    // the CPU line of the panic: CPU: 1 PID: 1 Comm: init
    const cpus = readCpus(kernel, { log: { cpu: 1, pid: 1 } })
    expect(cpus.map(({ cpu, mode, pid }) => [cpu.value, cpu.confidence, mode, pid])).toEqual([
      [0, 'likely', 'user', 165],
      [1, 'likely', 'kernel', 1],
    ])
    const expected = crashRegisters('x86_64-6.1-debian', 0)
    for (const name of ['RIP', 'RSP', 'RBX', 'RCX', 'RDX', 'RSI', 'RBP', 'R10', 'R12']) {
      expect(hex(cpus[0]?.registers[name.toLowerCase()] ?? 0n, 16), name).toBe(`0x${expected.get(name)}`)
    }
  })
})

/** A kernel of which only architecture, notes and VMCOREINFO are asked. */
function madeKernel(
  machine: number,
  notes: readonly Note[],
  text: string,
  bytes = new Uint8Array(4096),
): Kernel {
  const arch = findArch({ elfMachine: machine, abi: abi64le })
  if (arch === undefined) throw new Error(`no architecture ${machine}`)
  return {
    dump: { notes, abi: abi64le, name: 'made' },
    arch,
    vmcoreinfo: new Vmcoreinfo(text),
    memory: makeKernelMemory(bytes),
    pageSize: 4096,
  } as unknown as Kernel
}

function prstatus(machine: number, pid: number, registers: Readonly<Record<string, bigint>> = {}): Note {
  const { registers: set } = findArch({ elfMachine: machine, abi: abi64le }) as Kernel['arch']
  const desc = new Uint8Array(set.prstatusSize)
  const head = prstatusHead.layout(abi64le)
  const view = new DataView(desc.buffer)
  view.setInt32(head.offsets.pid, pid, true)
  for (const [name, value] of Object.entries(registers)) {
    view.setBigUint64(head.size + set.names.indexOf(name) * 8, value, true)
  }
  return { name: 'CORE', type: 1, desc, descOffset: 0 }
}

const [x86, ppc] = [62, 21]
const kdumpInfo = 'OSRELEASE=6.1.0\nCRASHTIME=1795447228\n'
const numbersOf = (cpus: readonly CpuState[]) => cpus.map(({ cpu, pid }) => [pid, cpu.value, cpu.confidence])

describe('whose registers a note holds', () => {
  it('knows struct elf_prstatus: pid at byte 32, registers at 112', () => {
    expect(prstatusHead.layout(abi64le)).toMatchObject({ offsets: { pid: 32 }, size: 112 })
    expect(qemuCpuState.layout(abi64le)).toMatchObject({
      offsets: { segments: 152, control: 392 },
      size: 440,
    })
  })

  it('kdump: a CPU that stands where the log says vouches for those before it', () => {
    const notes = [3, 0, 77, 0].map((pid) => prstatus(x86, pid))
    const kernel = madeKernel(x86, notes, kdumpInfo)
    expect(numbersOf(readCpus(kernel, { log: { cpu: 2, pid: 77 } }))).toEqual([
      [3, 0, 'likely'],
      [0, 1, 'likely'],
      [77, 2, 'likely'],
      [0, 3, 'guess'],
    ])
  })

  it('kdump: a note that stands too early shows that one is missing', () => {
    const notes = [3, 77, 9].map((pid) => prstatus(x86, pid))
    const kernel = madeKernel(x86, notes, kdumpInfo)
    expect(numbersOf(readCpus(kernel, { log: { cpu: 2, pid: 77 } }))).toEqual([
      [3, 0, 'guess'],
      [9, 1, 'guess'],
      [77, 2, 'likely'],
    ])
  })

  it('kdump: positions are guesses without a process to compare, idle CPUs all have process 0', () => {
    const kernel = madeKernel(
      x86,
      [0, 0].map((pid) => prstatus(x86, pid)),
      kdumpInfo,
    )
    expect(numbersOf(readCpus(kernel, { log: { cpu: 1, pid: 0 } }))).toEqual([
      [0, 0, 'guess'],
      [0, 1, 'guess'],
    ])
  })

  it('QEMU up to 9.1 wrote the same process for all CPUs of ppc64: that says nothing', () => {
    const kernel = madeKernel(
      ppc,
      [1, 1].map((pid) => prstatus(ppc, pid)),
      'OSRELEASE=6.1.0\n',
    )
    expect(numbersOf(readCpus(kernel, {}))).toEqual([
      [1, 0, 'guess'],
      [1, 1, 'guess'],
    ])
  })

  it('ppc64: the paca of a CPU in the kernel counts, r13 of one in user space and a false one do not', () => {
    const bytes = new Uint8Array(4096)
    new DataView(bytes.buffer).setUint32(0x108, 0x8000_0003, true)
    const r13 = kernelBase + 0x100n
    const notes = [
      prstatus(ppc, 0, { r13, msr: 0x4000n }),
      prstatus(ppc, 0, { r13: kernelBase + 0x200n }),
      prstatus(ppc, 0, { r13 }),
      prstatus(ppc, 0, { r13: 8n }),
    ]
    expect(
      readCpus(madeKernel(ppc, notes, kdumpInfo, bytes), {}).map((c) => [c.cpu.value, c.cpu.source]),
    ).toEqual([
      [0, 'position'],
      [1, 'position'],
      [2, 'position'],
      [3, 'paca'],
    ])
  })

  it('fadump: notes are those of the mask, in order, when the crashing CPU stands where it must', () => {
    const registers = { r1: 0xc000000001234560n, nip: 0xc000000000001234n }
    const header = { magicNumber: crashInfoMagic, version: 1, ptRegsSize: 384, cpuMaskSize: 8 }
    const pack = (crashingCpu: number, cpus: number[]) => {
      const words = new Uint8Array(384)
      const view = new DataView(words.buffer)
      view.setBigUint64(8, registers.r1, true)
      view.setBigUint64(32 * 8, registers.nip, true)
      return parseCrashInfo(
        writeCrashInfo(
          {
            header: { ...header, crashingCpu, vmcoreinfoAddress: 0, vmcoreinfoSize: 0 },
            registers: words,
            cpuMask: writeCpuMask(cpus, 8, abi64le),
          },
          abi64le,
        ),
        abi64le,
        'made',
      )
    }
    const kernel = madeKernel(
      ppc,
      [prstatus(ppc, 0), prstatus(ppc, 0, registers), prstatus(ppc, 0)],
      kdumpInfo,
    )
    const numbers = (crashInfo: ReturnType<typeof pack>) =>
      readCpus(kernel, { crashInfo }).map(({ cpu, stackPointer }) => [
        cpu.value,
        cpu.confidence,
        stackPointer !== 0n,
      ])
    expect(numbers(pack(4, [1, 4, 7]))).toEqual([
      [1, 'exact', false],
      [4, 'exact', true],
      [7, 'exact', false],
    ])
    // one CPU has no note: only the crashing one is known
    expect(numbers(pack(4, [1, 2, 4, 7]))).toEqual([
      [0, 'guess', false],
      [1, 'guess', false],
      [4, 'exact', true],
    ])
    expect(crashingCpu({ crashInfo: pack(0xffffffff, [0]), log: { cpu: 3, pid: 1 } })).toEqual({
      value: 3,
      source: 'log',
      confidence: 'likely',
    })
  })
})
