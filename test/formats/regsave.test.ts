import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormatError } from '../../src/core/errors.ts'
import {
  hasRegsaveMagic,
  identifier,
  parseRegisterSaveArea,
  ptRegsName,
  regsaveSize,
  type SavedCpu,
  writeRegisterSaveArea,
} from '../../src/formats/regsave.ts'

const names = [
  ...Array.from({ length: 32 }, (_, i) => `r${i}`),
  ...['nip', 'msr', 'ctr', 'link', 'xer', 'ccr', 'dar', 'dsisr'],
]
const cpu = (id: number, seed = 1): SavedCpu => ({
  id,
  registers: new Map(names.map((name, i) => [name, BigInt(seed * 1000 + i)])),
})

/** An area by hand: header, count at `numCpuOffset`, entries right after it. */
function area(numCpuOffset: number, count: number, entries: readonly (readonly [string, bigint])[]): Buffer {
  const bytes = Buffer.alloc(numCpuOffset + 4 + entries.length * 16)
  bytes.writeBigUInt64BE(identifier('REGSAVE'), 0)
  bytes.writeUInt32BE(numCpuOffset, 12)
  bytes.writeUInt32BE(count, numCpuOffset)
  entries.forEach(([name, value], i) => {
    bytes.writeBigUInt64BE(identifier(name), numCpuOffset + 4 + i * 16)
    bytes.writeBigUInt64BE(value, numCpuOffset + 4 + i * 16 + 8)
  })
  return bytes
}

describe('register save area', () => {
  it('has the sizes real firmware asked for', () => {
    expect([regsaveSize(2), regsaveSize(4)]).toEqual([0xa00, 0x13e0])
  })

  it('starts its entries at byte 20, with no alignment', () => {
    const bytes = Buffer.from(writeRegisterSaveArea([cpu(0)], 1))
    expect(bytes.subarray(0, 8).toString('latin1')).toBe('REGSAVE\0')
    expect([bytes.readUInt32BE(8), bytes.readUInt32BE(12), bytes.readUInt32BE(16)]).toEqual([0, 16, 1])
    expect(bytes.subarray(20, 28).toString('latin1')).toBe('CPUSTRT\0')
    expect(bytes.subarray(36, 44).toString('latin1')).toBe('ACOP\0\0\0\0')
    expect(bytes.subarray(20 + 78 * 16, 28 + 78 * 16).toString('latin1')).toBe('CPUEND\0\0')
    expect(bytes.subarray(20 + 79 * 16).equals(Buffer.alloc(12))).toBe(true)
  })

  it('has the general registers after FSCR, and NIA between MSR and PIR', () => {
    const bytes = Buffer.from(writeRegisterSaveArea([cpu(0)], 1))
    const order = Array.from({ length: 79 }, (_, i) =>
      bytes
        .subarray(20 + i * 16, 28 + i * 16)
        .toString('latin1')
        .replaceAll('\0', ''),
    )
    expect(order.slice(22, 25)).toEqual(['FSCR', 'GPR00', 'GPR01'])
    expect(order.slice(54, 61)).toEqual(['GPR31', 'IAMR', 'IC', 'LR', 'MSR', 'NIA', 'PIR'])
    expect(order.at(-2)).toBe('XER')
  })

  it('marks a CPU that is not there by a start and an end', () => {
    const cpus = parseRegisterSaveArea(writeRegisterSaveArea([cpu(0), cpu(2, 3)], 4), 'area')
    expect(cpus.map((one) => [one.id, one.registers.size])).toEqual([
      [0, 40],
      [1, 0],
      [2, 40],
      [3, 0],
    ])
    expect(cpus[2]?.registers.get('link')).toBe(3035n)
  })

  it.each([16, 0x1c])('finds the count at byte %d', (offset) => {
    const bytes = area(offset, 1, [
      ['CPUSTRT', 5n],
      ['NIA', 0xc000000000001234n],
      ['CPUEND', 5n],
    ])
    expect(parseRegisterSaveArea(bytes, 'area')).toEqual([
      { id: 5, registers: new Map([['nip', 0xc000000000001234n]]) },
    ])
  })

  it('takes the low 32 bits of a CPU number', () => {
    const bytes = area(16, 1, [
      ['CPUSTRT', 0x700000003n],
      ['CPUEND', 3n],
    ])
    expect(parseRegisterSaveArea(bytes, 'area')[0]?.id).toBe(3)
  })

  it.each([
    ['GPR00', 'r0'],
    ['GPR31', 'r31'],
    ['GPR32', undefined],
    ['GPR05xyz', 'r5'],
    ['GPRab', undefined],
    ['GPR', undefined],
    ['NIA', 'nip'],
    ['NIP', undefined],
    ['NIAx', undefined],
    ['LR', 'link'],
    ['SRR0', undefined],
  ])('%s goes to %s', (name, member) => {
    expect(ptRegsName(identifier(name))).toBe(member)
  })

  it('refuses a wrong magic, a missing start, a count beyond the area and every truncation', () => {
    const good = writeRegisterSaveArea([cpu(0), cpu(1)], 2)
    expect(hasRegsaveMagic(good)).toBe(true)
    expect(hasRegsaveMagic(good.subarray(1))).toBe(false)
    const bad = [
      good.with(0, 0x51),
      good.with(20, 0),
      good.with(12, 0xff),
      good.with(15, 17),
      good.with(19, 3),
    ]
    for (const bytes of bad) expect(() => parseRegisterSaveArea(bytes, 'bad')).toThrow(FormatError)
    for (let size = 0; size < good.length - 12; size++) {
      expect(() => parseRegisterSaveArea(good.subarray(0, size), 'cut')).toThrow(FormatError)
    }
  })

  it('reads what it wrote', () => {
    const registers = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.bigInt(0n, 2n ** 64n - 1n)])),
    )
    fc.assert(
      fc.property(fc.array(registers, { maxLength: 5 }), (list) => {
        const cpus = list.map((values, id) => ({ id, registers: new Map(Object.entries(values)) }))
        expect(parseRegisterSaveArea(writeRegisterSaveArea(cpus, cpus.length), 'area')).toEqual(cpus)
      }),
    )
  })

  it('makes identifiers with the first character on top', () => {
    expect(identifier('REGSAVE')).toBe(0x5245475341564500n)
    expect(identifier('CPUSTRT')).toBe(0x4350555354525400n)
    expect(identifier('FADMPINF')).toBe(0x4641444d50494e46n)
  })
})
