// Symbols as object files and modules have them: Elf64_Sym, 24 bytes each. Read in place, because a
// kernel has two hundred thousand. Source: gABI 4.1, elf.h.

/** Bytes a symbol. */
export const elfSymbolSize = 24

/** st_shndx of symbols that are used and not defined, and of those that are numbers. */
export const elfSections = { undefined: 0, absolute: 0xfff1 } as const

export class ElfSymbols {
  readonly length: number
  readonly #view: DataView
  readonly #littleEndian: boolean

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.length = Math.floor(bytes.length / elfSymbolSize)
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#littleEndian = littleEndian
  }

  /** st_name: where the name starts in the string table. */
  name(index: number): number {
    return this.#view.getUint32(index * elfSymbolSize, this.#littleEndian)
  }

  /** st_info: type in the low four bits, binding above. */
  info(index: number): number {
    return this.#view.getUint8(index * elfSymbolSize + 4)
  }

  /** st_shndx */
  section(index: number): number {
    return this.#view.getUint16(index * elfSymbolSize + 6, this.#littleEndian)
  }

  /** st_size, bytes */
  size(index: number): number {
    return Number(this.#view.getBigUint64(index * elfSymbolSize + 16, this.#littleEndian))
  }

  /** st_value */
  value(index: number): bigint {
    return this.#view.getBigUint64(index * elfSymbolSize + 8, this.#littleEndian)
  }
}
