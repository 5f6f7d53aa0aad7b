// The elements that a loop of an erase configuration goes through: of an array, of structs that point to
// the next, of a list of the kernel.

import { findMember } from '../../formats/btf/members.ts'
import type { VirtAddr } from '../address.ts'
import { UsageError } from '../errors.ts'
import { baseName, isCompound, outerLayer } from '../kernel/c-type.ts'
import { makeChainCheck, walkList } from '../kernel/lists.ts'
import type { EraseLoop } from './erase-config.ts'
import type { EraseScope, Place } from './erase-scope.ts'

/** Elements of one loop. */
const maxElements = 1_000_000

/** @throws {UsageError} the loop makes no sense here @throws {FaultError | KernelError} the list is damaged */
export function* loopPlaces(scope: EraseScope, loop: EraseLoop): Generator<Place> {
  for (const place of scope.places(loop.list, new Map())) {
    if (loop.within !== undefined) yield* listPlaces(scope, loop, place, loop.within)
    else if (place.type === undefined) throw scope.unknownType(loop.list)
    else if (outerLayer(scope.btf, place.type)?.layer.kind === 'array') yield* arrayPlaces(scope, loop, place)
    else yield* chainPlaces(scope, loop, place)
  }
}

/** Pointers that are NULL are no elements. */
function* arrayPlaces(scope: EraseScope, { list }: EraseLoop, { address, type }: Place): Generator<Place> {
  const outer = type && outerLayer(scope.btf, type)
  if (outer === undefined || outer.layer.kind !== 'array') return
  const element = outer.inner
  const size = scope.sizeOf(element, list)
  const { length } = outer.layer
  if (length === undefined) {
    throw new UsageError(`${list}: the length of the array is not known`, {
      hint: 'declare it with its length',
    })
  }
  if (length > maxElements) throw new UsageError(`${list}: an array of ${length} elements`)
  const isPointer = outerLayer(scope.btf, element)?.layer.kind === 'pointer'
  for (let i = 0; i < length; i++) {
    const at = address + BigInt(i * size)
    if (!isPointer || scope.memory.u64(at) !== 0n) yield { address: at, type: element }
  }
}

/** Ends at NULL, or where it began. */
function* chainPlaces(scope: EraseScope, { list, via = 'next' }: EraseLoop, start: Place): Generator<Place> {
  let place: Place | undefined = scope.follow(start, list)
  if (place?.type !== undefined && baseName(scope.btf, place.type) === 'list_head') {
    throw new UsageError(`${list} is the head of a list`, {
      hint: 'say what it goes through: within STRUCT:MEMBER',
    })
  }
  const first = place?.address
  const check = makeChainCheck(`the chain of ${list}`, maxElements)
  while (place !== undefined) {
    check(place.address)
    yield place
    const next: Place | undefined = scope.member(place, via, `${list}.${via}`)
    if (next === undefined) return
    const struct: Place | undefined = scope.follow(next, `${list}.${via}`)
    if (struct?.address === first) return
    place = struct
  }
}

/** `modules` and `modules.next` both name the list whose head is modules. */
function* listPlaces(
  scope: EraseScope,
  { list }: EraseLoop,
  place: Place,
  { struct, member }: { readonly struct: string; readonly member: string },
): Generator<Place> {
  const type = scope.types?.struct(struct, member)
  if (type === undefined) throw new UsageError(`the kernel has no struct ${struct} with a member ${member}`)
  const node = findMember(scope.btf, type, member)
  const isNode = node !== undefined && baseName(scope.btf, { base: node.type, layers: [] }) === 'list_head'
  if (!isNode) throw new UsageError(`${struct}.${member} is no list_head`)
  const offset = BigInt(node.bit / 8)
  for (const at of walkList(scope.memory, headOf(scope, list, place), maxElements)) {
    yield { address: at - offset, type: { base: type, layers: [] } }
  }
}

function headOf(scope: EraseScope, list: string, { address, type }: Place): VirtAddr {
  // A variable that nothing is known of: what else should it be.
  if (type === undefined) return address
  const isHead = baseName(scope.btf, { ...type, layers: [] }) === 'list_head'
  if (isCompound(scope.btf, type) && isHead) return address
  const outer = outerLayer(scope.btf, type)
  if (outer?.layer.kind === 'pointer' && baseName(scope.btf, outer.inner) === 'list_head') {
    // Of the head itself: it is the list_head's first member.
    return list.endsWith('.next') ? address : scope.memory.u64(address)
  }
  throw new UsageError(`${list} is no list_head`)
}
