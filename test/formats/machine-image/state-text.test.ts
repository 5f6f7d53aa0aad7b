import { describe, expect, it } from 'vitest'
import { FormatError } from '../../../src/core/errors.ts'
import type { MachineState } from '../../../src/formats/machine-image/state.ts'
import { parseStateText, writeStateText } from '../../../src/formats/machine-image/state-text.ts'
import { makeMachineState } from '../../make/machine.ts'

/** A state with every field there. */
const full: MachineState = makeMachineState({
  stage: 'capture',
  reservedRanges: [{ start: 0x100000, end: 0x200000 }],
  kernelReserved: [{ start: 0, end: 0x10000 }],
  kernel: {
    release: '7.2.13',
    maxCpus: 16,
    ptRegsSize: 384,
    commandLineSize: 2048,
    elfFlags: 2,
    vmcoreinfo: { address: 0x2540000, size: 65572 },
  },
  fadump: {
    enabled: true,
    nocma: false,
    reserveStart: 0x14000000,
    reserveSize: 335610288,
    bootMemorySize: 0x14000000,
    bootMemoryTop: 0x14000000,
    bootMemoryRegions: [{ address: 0, size: 0x14000000, copy: 0x14010000 }],
    cpuStateSize: 2560,
    hpteSize: 0,
    bootMemoryCopy: 0x14010000,
    headerAddress: 0x28010000,
    fdmAddress: 0x10000,
    parameterArea: 0x4ffff800,
    cma: { start: 0x14000000, end: 0x28000000 },
  },
  firmwareState: { registered: false, dumpActive: true, fdm: '00ff', copying: false, rmaSize: 0x40000000 },
  capture: {
    commandLine: 'fadump=on',
    elfcorehdrAddress: 0x1000000,
    elfcorehdrSize: 65536,
    noteBufferAddress: 0x1010000,
    noteBufferSize: 65536,
  },
  crash: {
    cpu: 1,
    reason: 'sysrq triggered crash',
    time: 1795447051,
    writes: [{ address: 0x28010000, bytes: 'a55a' }],
  },
  messages: [{ boot: 1, source: 'firmware', text: 'copying' }],
})

type Json = { [key: string]: Json } | Json[] | string | number | boolean | null

/** Places of all values in the state, as keys from the root on. */
function places(value: Json, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [[...at]]
  return [[...at], ...Object.entries(value).flatMap(([key, item]) => places(item, [...at, key]))]
}

/** As the error names a place: `memory[0].end`. */
const name = (keys: readonly string[]): string =>
  keys.reduce(
    (path, key) => (/^\d+$/.test(key) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`),
    '',
  )

const asJson = (state: MachineState): Json => JSON.parse(writeStateText(state).toString()) as Json

/** The state as text with the value at `keys` replaced, or taken away. */
function textWith(keys: readonly string[], value: Json | undefined): Uint8Array {
  const root = asJson(full)
  let parent = root as Record<string, Json>
  for (const key of keys.slice(0, -1)) parent = parent[key] as Record<string, Json>
  const last = keys.at(-1) as string
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return Buffer.from(JSON.stringify(root))
}

const parse = (text: Uint8Array): MachineState => parseStateText(text, 'machine')

function problem(text: Uint8Array): FormatError {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof FormatError) return error
    throw error
  }
  throw new Error('not refused')
}

const everywhere = places(asJson(full)).filter((keys) => keys.length > 0)
const optional = [
  'kernel.release',
  'kernel.vmcoreinfo',
  'fadump',
  'fadump.fdmAddress',
  'fadump.parameterArea',
  'fadump.cma',
  'firmwareState.fdm',
  'capture',
  'crash',
  'crash.cpu',
]

describe('text of a machine state', () => {
  it('reads as it was written', () => {
    expect(parse(writeStateText(full))).toEqual(full)
    expect(parse(writeStateText(makeMachineState()))).toEqual(makeMachineState())
  })

  it.each(everywhere.map((keys) => [name(keys), keys] as const))(
    'is refused with null for %s',
    (path, keys) => {
      expect(problem(textWith(keys, null)).field).toBe(`machine state, ${path}`)
    },
  )

  it.each(
    everywhere.map((keys) => [name(keys), keys] as const).filter(([path]) => !/\]$|registers\./.test(path)),
  )('is refused without %s unless that may be missing', (path, keys) => {
    const text = textWith(keys, undefined)
    if (optional.includes(path)) expect(() => parse(text)).not.toThrow()
    else expect(problem(text).field).toBe(`machine state, ${path}`)
  })

  it.each<[string, string[], Json]>([
    ['a field nobody knows', ['colour'], 'red'],
    ['a field nobody knows, deep inside', ['kernel', 'vmcoreinfo', 'colour'], 'red'],
    ['a negative number', ['memory', '0', 'start'], -1],
    ['a fraction', ['memory', '0', 'end'], 0.5],
    ['a number that is not exact', ['fadump', 'reserveSize'], 2 ** 53],
    ['an empty range', ['reservedRanges', '0', 'end'], 0x100000],
    ['half a page of memory', ['memory', '0', 'end'], 0x8000],
    ['a page size that is no power of two', ['pageSize'], 65535],
    ['a CPU beyond the possible ones', ['cpus', '1', 'id'], 2],
    ['a CPU twice', ['cpus', '1', 'id'], 0],
    ['a register that is no number', ['cpus', '0', 'registers', 'nip'], 'nip'],
    ['a stage nobody knows', ['stage'], 'asleep'],
    ['half a byte of FDM', ['firmwareState', 'fdm'], '00f'],
  ])('is refused with %s', (_, keys, value) => {
    expect(problem(textWith(keys, value)).field).toMatch(/^machine state, /)
  })

  it('is refused with ranges that overlap', () => {
    const overlapping = [
      { start: 0, end: 0x20000 },
      { start: 0x10000, end: 0x30000 },
    ]
    expect(problem(textWith(['memory'], overlapping)).field).toBe('machine state, memory[1]')
  })

  it('is refused when a registered machine has no reservation', () => {
    expect(problem(writeStateText(makeMachineState({ stage: 'registered' }))).field).toBe(
      'machine state, fadump',
    )
  })

  it('is refused without memory', () => {
    expect(problem(textWith(['memory'], [])).field).toBe('machine state, memory')
  })

  it('is refused when it is nested a million times', () => {
    const text = `{"stage":${'['.repeat(1e6)}${']'.repeat(1e6)}}`
    expect(problem(Buffer.from(text)).expected).toContain('registered')
  })

  it('is refused when it is no JSON or no UTF-8', () => {
    expect(problem(Buffer.from('{')).expected).toBe('JSON text')
    expect(problem(Buffer.from([0x22, 0xff, 0x22])).expected).toBe('JSON text')
    expect(problem(Buffer.from('[]')).field).toBe('machine state, the whole')
  })
})
