import { describe, expect, it } from 'vitest'
import { mergeCommandLine } from '../../../src/core/capture/command-line.ts'

describe('command line of the capture boot', () => {
  it('is the old one, a blank and the appended text', () => {
    expect(mergeCommandLine('fadump=on quiet', 'nr_cpus=1', 2048)).toEqual({
      commandLine: 'fadump=on quiet nr_cpus=1',
      messages: ['fadump: Updated cmdline: fadump=on quiet nr_cpus=1'],
    })
  })

  it('gets a blank even from an empty area', () => {
    expect(mergeCommandLine('fadump=on', '', 2048).commandLine).toBe('fadump=on ')
  })

  it.each([
    [1000, 1046, 2047, false],
    [1000, 1047, 2047, true],
    [1000, 2047, 2047, true],
    [2047, 0, 2047, true],
  ])('of %d and %d characters has %d, warned: %s', (old, append, size, warned) => {
    const { commandLine, messages } = mergeCommandLine('o'.repeat(old), 'a'.repeat(append), 2048)
    expect(commandLine).toHaveLength(size)
    expect(messages.length === 2).toBe(warned)
    if (warned) {
      expect(messages[0]).toBe('fadump: WARNING: Appending parameters exceeds cmdline size. Truncating!')
    }
  })
})
