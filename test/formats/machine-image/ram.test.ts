import { statSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FaultError } from '../../../src/core/errors.ts'
import { makeMachine, makeMachineState } from '../../make/machine.ts'

const KiB64 = 65536
/** Two ranges with a hole between them, and what they hold as one buffer by physical address. */
const memory = [
  { start: KiB64, end: 3 * KiB64 },
  { start: 5 * KiB64, end: 8 * KiB64 },
]
const end = 8 * KiB64
const isRam = (start: number, length: number): boolean =>
  length === 0 || memory.some((range) => start >= range.start && start + length <= range.end)

const makeSmallMachine = () => makeMachine({ state: makeMachineState({ memory, pageSize: KiB64 }) })

const address = fc.nat(end + 100)
const operation = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), address, bytes: fc.uint8Array({ maxLength: 9000 }) }),
  fc.record({ kind: fc.constant('clear' as const), address, length: fc.nat(2 * KiB64) }),
  fc.record({ kind: fc.constant('read' as const), address, length: fc.nat(2 * KiB64) }),
  fc.record({ kind: fc.constant('copy' as const), address, to: address, length: fc.nat(2 * KiB64) }),
)

describe('RAM of a machine image', () => {
  it('does what a plain buffer does, and faults where there is no memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 20 }), async (operations) => {
        using image = await makeSmallMachine()
        const model = Buffer.alloc(end + 4 * KiB64)
        for (const one of operations) {
          const length = one.kind === 'write' ? one.bytes.length : one.length
          const good = isRam(one.address, length) && (one.kind !== 'copy' || isRam(one.to, length))
          if (one.kind === 'copy' && Math.abs(one.to - one.address) < length) {
            expect(() => image.ram.copy(one.address, one.to, length)).toThrow('overlap')
            continue
          }
          const perform = (): void => {
            const into = Buffer.alloc(length)
            if (one.kind === 'write') image.ram.write(one.address, one.bytes)
            if (one.kind === 'clear') image.ram.write(one.address, into)
            if (one.kind === 'copy') image.ram.copy(one.address, one.to, length)
            if (one.kind !== 'read') return
            image.ram.read(one.address, into)
            expect(into.equals(model.subarray(one.address, one.address + length))).toBe(true)
          }
          if (!good) {
            expect(perform).toThrow(FaultError)
            continue
          }
          perform()
          if (one.kind === 'write') model.set(one.bytes, one.address)
          if (one.kind === 'clear') model.fill(0, one.address, one.address + length)
          if (one.kind === 'copy') model.copy(model, one.to, one.address, one.address + length)
        }
        const whole = Buffer.alloc(end)
        expect(image.ramSource().read(0, whole)).toBe(end)
        expect(whole.equals(model.subarray(0, end))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('names the first address that is no memory', async () => {
    using image = await makeSmallMachine()
    const into = new Uint8Array(3 * KiB64)
    expect(() => image.ram.read(2 * KiB64, into)).toThrow(
      expect.objectContaining({ address: 3 * KiB64, reason: 'hole', length: 2 * KiB64 }),
    )
  })

  it('writes nothing when a part of the range is no memory', async () => {
    using image = await makeSmallMachine()
    expect(() => image.ram.write(3 * KiB64 - 1, Buffer.from('ab'))).toThrow(FaultError)
    const into = new Uint8Array(1)
    image.ram.read(3 * KiB64 - 1, into)
    expect(into[0]).toBe(0)
  })

  it('reads as a source whose end is the end of memory', async () => {
    using image = await makeSmallMachine()
    const source = image.ramSource()
    const into = new Uint8Array(100).fill(1)
    expect(source.size).toBe(end)
    expect(source.read(end - 40, into)).toBe(40)
    expect([...into.subarray(38, 42)]).toEqual([0, 0, 1, 1])
    expect(source.read(end, into)).toBe(0)
  })
})

describe('copying RAM', () => {
  const used = (path: string): number => statSync(path).blocks * 512

  it('leaves holes of the file alone where source and destination are zero', async () => {
    using image = await makeSmallMachine()
    const before = used(image.path)
    image.ram.copy(KiB64, 5 * KiB64, 2 * KiB64)
    expect(used(image.path)).toBe(before)
  })

  it('takes room for what is not zero only', async () => {
    using image = await makeSmallMachine()
    image.ram.write(KiB64 + 5000, Buffer.from('data'))
    const before = used(image.path)
    image.ram.copy(KiB64, 5 * KiB64, 2 * KiB64)
    expect(used(image.path) - before).toBe(4096)
  })

  it('clears what the destination had', async () => {
    using image = await makeSmallMachine()
    image.ram.write(6 * KiB64, Buffer.alloc(KiB64, 0xff))
    image.ram.copy(KiB64, 6 * KiB64, KiB64)
    const into = Buffer.alloc(KiB64)
    image.ram.read(6 * KiB64, into)
    expect(into.equals(Buffer.alloc(KiB64))).toBe(true)
  })
})
