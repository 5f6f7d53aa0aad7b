import { describe, expect, it } from 'vitest'
import { type Mapping, VirtualMemory } from '../../../src/core/memory/virtual.ts'
import { GuestMemory } from '../../make/guest-memory.ts'

const mappings: readonly Mapping[] = [
  { start: 0xffff000000000000n, end: 0xffff000000002000n, physical: 0x8000 },
  { start: 0xffff000000002000n, end: 0xffff000000003000n, physical: 0x1000 },
  { start: 0xfffffffffffff000n, end: 1n << 64n, physical: 0x3000 },
]

function makeVirtual(littleEndian = true) {
  const physical = new GuestMemory([{ start: 0, end: 0x10000 }])
  let asked = 0
  const map = (address: bigint) => {
    asked++
    return mappings.find((m) => address >= m.start && address < m.end)
  }
  const memory = new VirtualMemory(physical, { fixed: [], map, walk: map }, { pageSize: 4096, littleEndian })
  return { physical, memory, asked: () => asked }
}

describe('VirtualMemory', () => {
  it('reads what lies in two places as one', () => {
    const { physical, memory } = makeVirtual()
    physical.write(0x9ffe, Uint8Array.of(1, 2))
    physical.write(0x1000, Uint8Array.of(3, 4))
    expect([...memory.bytes(0xffff000000001ffen, 4)]).toEqual([1, 2, 3, 4])
    expect(memory.u32(0xffff000000001ffen)).toBe(0x04030201)
  })

  it('asks for a translation once per stretch', () => {
    const { memory, asked } = makeVirtual()
    memory.bytes(0xffff000000000000n, 0x2000)
    for (let i = 0n; i < 100n; i++) memory.u64(0xffff000000000000n + i * 8n)
    expect(asked()).toBe(1)
  })

  it('faults at the first byte that nothing maps', () => {
    const { memory } = makeVirtual()
    expect(() => memory.bytes(0xffff000000002ff0n, 0x20)).toThrow(
      expect.objectContaining({ space: 'virtual', address: 0xffff000000003000n, reason: 'unmapped' }),
    )
    expect(memory.translate(0xffff000000003000n)).toBeUndefined()
  })

  it('takes addresses modulo 2^64', () => {
    const { physical, memory } = makeVirtual()
    physical.write(0x3fff, Uint8Array.of(9))
    expect(memory.u8(-1n)).toBe(9)
    expect(memory.translate(-1n)).toBe(0x3fff)
    expect(() => memory.bytes(-1n, 2)).toThrow(expect.objectContaining({ address: 0n }))
  })

  it('reads numbers in the byte order of the target', () => {
    const { physical, memory } = makeVirtual(false)
    physical.write(0x8000, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    expect(memory.u64(0xffff000000000000n)).toBe(0x0102030405060708n)
    expect(memory.u16(0xffff000000000000n)).toBe(0x0102)
  })
})
