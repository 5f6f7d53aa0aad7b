// Members by name, as C has it: those of an anonymous struct or union belong to the struct around it.

import type { Btf, TypeId } from './reader.ts'

/** Where a member is. */
export interface MemberPlace {
  readonly type: TypeId
  /** Bits from the start of the struct asked for. */
  readonly bit: number
  /** Width of a bit field; undefined for other members. */
  readonly bits: number | undefined
}

/** Anonymous structs and unions in each other; and members looked at, of structs made to be slow. */
const maxDepth = 16
const maxLooks = 100_000

/** A member by path, `thread.sp`; undefined when the struct has no such member. */
export function findMember(btf: Btf, struct: TypeId, path: string): MemberPlace | undefined {
  let place: MemberPlace | undefined = { type: struct, bit: 0, bits: undefined }
  for (const name of path.split('.')) {
    const inner = findOne(btf, place.type, name, { looks: 0 }, 0)
    if (inner === undefined) return undefined
    place = { ...inner, bit: place.bit + inner.bit }
  }
  return place
}

function findOne(
  btf: Btf,
  struct: TypeId,
  name: string,
  budget: { looks: number },
  depth: number,
): MemberPlace | undefined {
  for (const member of btf.members(struct)) {
    if (++budget.looks > maxLooks) return undefined
    if (member.name === name) return member
    if (member.name !== '' || depth === maxDepth) continue
    const inner = findOne(btf, member.type, name, budget, depth + 1)
    if (inner !== undefined) return { ...inner, bit: inner.bit + member.bit }
  }
  return undefined
}
