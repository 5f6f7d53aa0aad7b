import { describe, expect, it } from 'vitest'
import { callerStyle, linePrefix, makedumpfileStyle, renderDmesg } from '../../../src/core/kernel/dmesg.ts'
import { decodeText, type LogRecord } from '../../../src/core/kernel/printk.ts'

const record = (text: string | Uint8Array, timeUs = 15_196_333): LogRecord => ({
  seq: 1,
  timeUs,
  level: 4,
  facility: 0,
  caller: 'T1',
  ...(typeof text === 'string' ? { text } : decodeText(text)),
})

describe('dmesg text', () => {
  it.each([
    [0, '[    0.000000] '],
    [999_999, '[    0.999999] '],
    [12_844_228, '[   12.844228] '],
    [99_999_000_001, '[99999.000001] '],
    [8_640_000_000_000, '[8640000.000000] '],
  ])('%d µs begins a line with %s', (timeUs, prefix) => {
    expect(linePrefix(record('', timeUs))).toBe(prefix)
  })

  it('has the caller as a kernel with CONFIG_PRINTK_CALLER prints it', () => {
    // console.txt of the ppc64le dump: [   15.191653][    T1] sysrq: Trigger a crash
    expect(renderDmesg([record('sysrq: Trigger a crash', 15_191_653)], callerStyle)).toBe(
      '[   15.191653][    T1] sysrq: Trigger a crash\n',
    )
  })

  it('repeats the time on every line of a record, as the kernel does', () => {
    expect(renderDmesg([record('IRQMASK: 0 \nGPR00: 4'), record('')])).toBe(
      '[   15.196333] IRQMASK: 0 \n[   15.196333] GPR00: 4\n[   15.196333] \n',
    )
  })

  it("indents and escapes for makedumpfile's style", () => {
    expect(renderDmesg([record(Uint8Array.of(0x61, 0x0a, 0x09, 0x1b, 0xff))], makedumpfileStyle)).toBe(
      `[   15.196333] [      T1] a\n${' '.repeat(26)}\t\\x1b\\xff\n`,
    )
  })
})
