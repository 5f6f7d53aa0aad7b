// VMCOREINFO: the key=value text a kernel leaves for dump tools. Grammar as makedumpfile reads it
// (read_vmcoreinfo_*): SYMBOL is hexadecimal without 0x, the rest decimal, maybe negative, or 0x-hex;
// first match wins; unknown keys are ignored; the last line may be cut.

import { isPowerOfTwo, type VirtAddr } from '../address.ts'
import type { KernelFacts } from '../arch/facts.ts'

export { required } from '../arch/facts.ts'

export class Vmcoreinfo implements KernelFacts {
  readonly text: string
  readonly #lines = new Map<string, string>()

  constructor(text: string) {
    this.text = text
    for (const line of text.split('\n')) {
      const equals = line.indexOf('=')
      if (equals <= 0) continue
      const key = line.slice(0, equals)
      if (!this.#lines.has(key)) this.#lines.set(key, line.slice(equals + 1))
    }
  }

  /** The text after `KEY=`, for OSRELEASE, BUILD-ID and the like. */
  get(key: string): string | undefined {
    return this.#lines.get(key)
  }

  keys(): readonly string[] {
    return [...this.#lines.keys()]
  }

  /** Run-time address of a symbol. 0 and all ones mean "not there", as in makedumpfile. */
  symbol(name: string): VirtAddr | undefined {
    const text = this.#lines.get(`SYMBOL(${name})`)
    if (text === undefined || !/^(0x)?[0-9a-fA-F]{1,16}$/.test(text)) return undefined
    const address = BigInt(text.startsWith('0x') ? text : `0x${text}`)
    return address === 0n || address === 0xffffffffffffffffn ? undefined : address
  }

  /** Bytes from the start of the struct: `offset('page.flags')`. */
  offset(member: string): number | undefined {
    return this.#small(`OFFSET(${member})`)
  }

  /** Bytes: `size('page')`. */
  size(type: string): number | undefined {
    return this.#small(`SIZE(${type})`)
  }

  /** Number of elements: `length('zone.free_area')`. */
  length(arrayName: string): number | undefined {
    return this.#small(`LENGTH(${arrayName})`)
  }

  /** A NUMBER(), signed as written. Wide values come back as written too: use BigInt.asUintN(64, …). */
  number(name: string): bigint | undefined {
    return parseNumber(this.#lines.get(`NUMBER(${name})`))
  }

  /** `KEY=`, a hexadecimal number without a prefix. */
  hex(key: string): bigint | undefined {
    const text = this.#lines.get(key)
    return text !== undefined && /^[0-9a-fA-F]{1,16}$/.test(text) ? BigInt(`0x${text}`) : undefined
  }

  /** KERNELOFFSET: run-time minus link-time address of the image, 0 when not stated. */
  get kernelOffset(): bigint {
    return this.hex('KERNELOFFSET') ?? 0n
  }

  get release(): string | undefined {
    return this.get('OSRELEASE')
  }

  /** Bytes, a power of two from 4 KiB to 256 KiB; undefined when absent or absurd. */
  get pageSize(): number | undefined {
    const size = this.#lines.get('PAGESIZE')
    const value = size === undefined ? Number.NaN : Number(size)
    return value >= 4096 && value <= 262144 && isPowerOfTwo(value) ? value : undefined
  }

  /** Seconds since 1970 at the panic; undefined before one. */
  get crashTime(): number | undefined {
    const text = this.#lines.get('CRASHTIME')
    return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined
  }

  #small(key: string): number | undefined {
    const value = parseNumber(this.#lines.get(key))
    return value !== undefined && value >= 0n && value < 1n << 32n ? Number(value) : undefined
  }
}

function parseNumber(text: string | undefined): bigint | undefined {
  if (text === undefined) return undefined
  if (/^-?\d{1,20}$/.test(text)) return BigInt(text)
  if (/^(0x)?[0-9a-fA-F]{1,16}$/.test(text)) return BigInt(text.startsWith('0x') ? text : `0x${text}`)
  return undefined
}
