// Structs of the dumped kernel by name, for code that reads its memory. What is asked for twice is
// looked up once.

import { findMember, type MemberPlace } from '../../formats/btf/members.ts'
import type { Btf, TypeId } from '../../formats/btf/reader.ts'
import { KernelError } from '../errors.ts'

export class KernelTypes {
  readonly btf: Btf
  readonly #places = new Map<string, MemberPlace | undefined>()

  constructor(btf: Btf) {
    this.btf = btf
  }

  /**
   * A struct or union, or a typedef of one. Several have the same name in some kernels: then the one
   * with that member, and of those the largest.
   */
  struct(name: string, member?: string): TypeId | undefined {
    const named = this.btf.find(name, ['struct', 'union'])
    const candidates = named.length > 0 ? named : this.btf.find(name, ['typedef'])
    const fitting = candidates.filter(
      (id) => member === undefined || findMember(this.btf, id, member) !== undefined,
    )
    return fitting.sort((a, b) => (this.btf.size(b) ?? 0) - (this.btf.size(a) ?? 0))[0]
  }

  /** A member by path, through anonymous structs; undefined when this kernel has none. */
  member(struct: string, path: string): MemberPlace | undefined {
    const key = `${struct}.${path}`
    if (!this.#places.has(key)) {
      const id = this.struct(struct, path)
      this.#places.set(key, id === undefined ? undefined : findMember(this.btf, id, path))
    }
    return this.#places.get(key)
  }

  /** Bytes from the start of the struct. @throws {KernelError} no such member, or a bit field */
  offset(struct: string, path: string): number {
    const place = this.member(struct, path)
    if (place !== undefined && place.bits === undefined) return place.bit / 8
    const what = place === undefined ? `has no member ${struct}.${path}` : `has a bit field ${struct}.${path}`
    throw new KernelError(`the kernel ${what}`, { hint: 'it may be newer or older than those known' })
  }

  /** Bytes. @throws {KernelError} no such struct */
  size(struct: string): number {
    const id = this.struct(struct)
    const size = id === undefined ? undefined : this.btf.size(id)
    if (size !== undefined) return size
    throw new KernelError(`the kernel has no struct ${struct}`)
  }
}
