// The kernel's boot parameters that decide a crash reservation, read as the kernel reads them: prefix
// matches, the last one wins, nonsense is skipped with a warning.
// Source: Linux arch/powerpc/kernel/fadump.c, kernel/crash_reserve.c, kernel/params.c, lib/cmdline.c.

import { alignUp, MiB } from '../address.ts'

export interface FadumpParameters {
  readonly enabled: boolean
  /** Once seen it stays, even when a later `fadump=on` follows. */
  readonly nocma: boolean
  /** The deprecated `fadump_reserve_mem=`, bytes; 0 when absent. */
  readonly reserveMemory: number
}

export function parseFadumpParameters(commandLine: string): FadumpParameters {
  let enabled = false
  let nocma = false
  let reserveMemory = 0
  for (const [name, value] of splitParameters(commandLine)) {
    if (value === undefined) continue
    if (name === 'fadump_reserve_mem') reserveMemory = readSize(value, 0).size
    if (name !== 'fadump') continue
    if (value.startsWith('on')) enabled = true
    else if (value.startsWith('off')) enabled = false
    else if (value.startsWith('nocma')) {
      enabled = true
      nocma = true
    }
  }
  return { enabled, nocma, reserveMemory }
}

/** Name and value of every parameter up to `--`; quotes may hold blanks, `-` and `_` are the same in names. */
function splitParameters(commandLine: string): (readonly [string, string | undefined])[] {
  const words: readonly string[] = commandLine.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []
  const end = words.indexOf('--')
  return (end < 0 ? words : words.slice(0, end)).map((word) => {
    const text = word.replaceAll('"', '')
    const equals = text.indexOf('=')
    const name = (equals < 0 ? text : text.slice(0, equals)).replaceAll('-', '_')
    return [name, equals < 0 ? undefined : text.slice(equals + 1)] as const
  })
}

/** memparse(): a C integer (0x…, 0…, decimal) and a binary suffix. `end` is `at` when there is no number. */
export function readSize(text: string, at: number): { readonly size: number; readonly end: number } {
  const match = /^(0x[0-9a-f]+|0[0-7]*|[1-9]\d*)([kmgtpe]?)/i.exec(text.slice(at))
  if (match === null) return { size: 0, end: at }
  const [all, digits = '', suffix = ''] = match
  const octal = /^0[0-7]+$/.test(digits)
  const value = octal ? Number.parseInt(digits, 8) : Number(digits)
  const power = 'kmgtpe'.indexOf(suffix.toLowerCase()) + 1
  return { size: value * 1024 ** (suffix === '' ? 0 : power), end: at + all.length }
}

export interface CrashkernelParameter {
  /** Bytes; 0 when nothing usable was given, whatever the reason. */
  readonly size: number
  /** What the kernel prints about it. */
  readonly messages: readonly string[]
}

/** The last `crashkernel=` that has no ,high ,low or ,cma suffix. The offset after `@` means nothing to fadump. */
export function parseCrashkernel(commandLine: string, systemRam: number): CrashkernelParameter {
  const value = [...commandLine.matchAll(/crashkernel=([^ ]*)/g)]
    .map((match) => match[1] ?? '')
    .filter((text) => !/,(high|low|cma)$/.test(text))
    .at(-1)
  if (value === undefined) return { size: 0, messages: [] }
  const parsed = value.includes(':') ? parseRanges(value, systemRam) : parseSimple(value)
  // As large as the RAM or larger is an error, and an error is as good as no parameter.
  return parsed.size >= systemRam ? { ...parsed, size: 0 } : parsed
}

const failed = (reason: string): CrashkernelParameter => ({ size: 0, messages: [`crashkernel: ${reason}`] })

/** `size[@offset]` */
function parseSimple(text: string): CrashkernelParameter {
  const { size, end } = readSize(text, 0)
  if (end === 0) return failed('memory value expected')
  const next = text[end]
  if (next !== undefined && next !== '@') return failed(`unrecognized char: ${next}`)
  return { size, messages: [] }
}

/** `start-[end]:size[,start-[end]:size…][@offset]`: the first range that holds the RAM, rounded up to 128 MiB. */
function parseRanges(text: string, systemRam: number): CrashkernelParameter {
  const total = alignUp(systemRam, 128 * MiB)
  let at = 0
  do {
    const start = readSize(text, at)
    if (start.end === at) return failed('Memory value expected')
    if (text[start.end] !== '-') return failed("'-' expected")
    at = start.end + 1
    let limit = Number.POSITIVE_INFINITY
    if (text[at] !== ':') {
      const end = readSize(text, at)
      if (end.end === at) return failed('Memory value expected')
      if (end.size <= start.size) return failed('end <= start')
      limit = end.size
      at = end.end
    }
    if (text[at] !== ':') return failed("':' expected")
    const wanted = readSize(text, at + 1)
    if (wanted.end === at + 1) return failed('Memory value expected')
    if (wanted.size >= total) return failed('invalid size')
    if (wanted.size > 0 && total >= start.size && total < limit) return checkOffset(text, wanted)
    if (total >= start.size && total < limit) break
    at = wanted.end
  } while (text[at++] === ',')
  return { size: 0, messages: ['crashkernel size resulted in zero bytes'] }
}

/** A range that was chosen counts only if what follows a later `@` is a number. */
function checkOffset(text: string, chosen: { readonly size: number; readonly end: number }) {
  const offset = text.indexOf('@', chosen.end) + 1
  const isBad = offset > 0 && readSize(text, offset).end === offset
  return isBad ? failed("Memory value expected after '@'") : { size: chosen.size, messages: [] }
}
