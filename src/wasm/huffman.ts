// Canonical Huffman codes (RFC 1951, 3.2.2) from counts of symbols, no code longer than a limit. As of
// leaves and of nodes made of them the lightest come first, both are queues in rising order of weight,
// and no step of the making of the tree branches on data.

/** Most symbols of an alphabet. */
const mostSymbols: u32 = 288

/** Counts below it are sorted by counting, the few others by insertion. */
const largeCount: u32 = 255

/** A u32 a count: where the next symbol of that count goes. */
const places = memory.data((largeCount + 1) << 2, 16)

/** The symbols in use, u16, in rising order of their counts, and the counts: u32, then two that no sum reaches. */
const symbols = memory.data(mostSymbols << 1, 16)
const leaves = memory.data((mostSymbols + 2) << 2, 16)

/** The tree's nodes in the order in which they are made, the root last: weight, u32; parent, then depth, u32. */
const nodes = memory.data((mostSymbols + 2) << 2, 16)
const parents = memory.data((mostSymbols + 2) << 2, 16)

/** A u32 a length, 0 to 15: how many codes have it, and where the next of them starts, from bit 15 down. */
const lengthCounts = memory.data(16 << 2, 16)
const nextCodes = memory.data(16 << 2, 16)

@inline export function get(array: usize, i: u32): u32 {
  return load<u32>(array + (usize(i) << 2))
}

@inline export function set(array: usize, i: u32, value: u32): void {
  store<u32>(array + (usize(i) << 2), value)
}

/**
 * Lengths of codes, at most `limit` bits, for `size` symbols: `counts` is a u32 each, `lengths` a u8 each,
 * 0 for a symbol that does not occur. There are at least two codes, because some decoders want it so.
 */
export function makeLengths(counts: usize, size: u32, limit: u32, lengths: usize): void {
  memory.fill(lengths, 0, size)
  const used = sortSymbols(counts, size)
  if (used < 2) {
    const only: u32 = used == 0 ? 0 : load<u16>(symbols)
    store<u8>(lengths + only, 1)
    store<u8>(lengths + u32(only == 0), 1)
    return
  }
  // Rare, and then a more even distribution does nearly as well.
  for (; !countLengths(makeTree(used), limit); ) {
    for (let i: u32 = 0; i < used; i++) set(leaves, i, (get(leaves, i) + 1) >> 1)
  }
  let at: usize = symbols
  for (let length = limit; length > 0; length--) {
    for (let left = get(lengthCounts, length); left > 0; left--, at += 2) {
      store<u8>(lengths + load<u16>(at), u8(length))
    }
  }
}

/** Fills `symbols` and `leaves`. Returns how many symbols are in use. */
function sortSymbols(counts: usize, size: u32): u32 {
  memory.fill(places, 0, (largeCount + 1) << 2)
  for (let i: u32 = 0; i < size; i++) {
    const count = min<u32>(get(counts, i), largeCount)
    set(places, count, get(places, count) + 1)
  }
  let used: u32 = 0
  for (let count: u32 = 1; count <= largeCount; count++) {
    const here = get(places, count)
    set(places, count, used)
    used += here
  }
  const firstLarge = get(places, largeCount)
  for (let i: u32 = 0; i < size; i++) {
    const count = get(counts, i)
    if (count == 0) continue
    const place = min<u32>(count, largeCount)
    let at = get(places, place)
    set(places, place, at + 1)
    for (; at > firstLarge && get(leaves, at - 1) > count; at--) {
      set(leaves, at, get(leaves, at - 1))
      store<u16>(symbols + (at << 1), load<u16>(symbols + ((at - 1) << 1)))
    }
    set(leaves, at, count)
    store<u16>(symbols + (at << 1), u16(i))
  }
  return used
}

/** Joins the two lightest of what is left until all is one. Returns the number of the root. */
function makeTree(used: u32): u32 {
  memory.fill(leaves + (used << 2), 0xff, 8)
  memory.fill(nodes, 0xff, (used + 1) << 2)
  let leaf: u32 = 0
  let node: u32 = 0
  for (let next: u32 = 0; next < used - 1; next++) {
    const leaf1 = get(leaves, leaf)
    const leaf2 = get(leaves, leaf + 1)
    const node1 = get(nodes, node)
    const node2 = get(nodes, node + 1)
    // What is not taken now is given its parent when it is.
    set(parents, node, next)
    set(parents, node + 1, next)
    set(nodes, next, min(leaf1, node1) + min(max(leaf1, node1), min(leaf2, node2)))
    const taken = 1 + u32(node2 < leaf1) - u32(leaf2 <= node1)
    node += taken
    leaf += 2 - taken
  }
  return used - 2
}

/** How many codes there are of each length, of the tree with this root; false when one is longer than `limit`. */
function countLengths(root: u32, limit: u32): bool {
  memory.fill(lengthCounts, 0, 64)
  set(parents, root, 0)
  let depth: u32 = 0
  let places: u32 = 1
  let inner: u32 = 0
  for (let node = root; ; node--) {
    const deeper: u32 = node == root ? 0 : get(parents, get(parents, node)) + 1
    if (deeper > depth) {
      set(lengthCounts, depth, places - inner)
      places = inner << 1
      inner = 0
      if (++depth >= limit) return false
    }
    set(parents, node, depth)
    inner++
    if (node == 0) break
  }
  set(lengthCounts, depth, places - inner)
  set(lengthCounts, depth + 1, inner << 1)
  return true
}

/** The codes of `lengths`, u32 each: length << 16 | code, its first bit the lowest. `size` is even. */
export function makeCodes(lengths: usize, size: u32, codes: usize): void {
  memory.fill(lengthCounts, 0, 64)
  for (let i: u32 = 0; i < size; i++) {
    const length = load<u8>(lengths + i)
    set(lengthCounts, length, get(lengthCounts, length) + 1)
  }
  let code: u32 = 0
  for (let length: u32 = 1; length < 16; length++) {
    set(nextCodes, length, code)
    code += get(lengthCounts, length) << (16 - length)
  }
  for (let i: u32 = 0; i < size; i += 2) {
    const first: u32 = load<u8>(lengths + i)
    const second: u32 = load<u8>(lengths + i, 1)
    const pair = u64(takeCode(first)) | (u64(takeCode(second)) << 32)
    store<u64>(codes + (i << 2), reverse(pair) | (u64(first) << 16) | (u64(second) << 48))
  }
}

@inline export function codeBits(code: u32): u32 {
  return code & 0xffff
}

@inline export function codeSize(code: u32): u32 {
  return code >> 16
}

@inline function takeCode(length: u32): u32 {
  const code = get(nextCodes, length)
  set(nextCodes, length, code + (0x10000 >> length))
  return code
}

/** Turns round the low 16 bits of both halves and clears the others. */
@inline function reverse(pair: u64): u64 {
  pair = ((pair >> 1) & 0x0000555500005555) | ((pair & 0x0000555500005555) << 1)
  pair = ((pair >> 2) & 0x0000333300003333) | ((pair & 0x0000333300003333) << 2)
  pair = ((pair >> 4) & 0x00000f0f00000f0f) | ((pair & 0x00000f0f00000f0f) << 4)
  return ((pair >> 8) & 0x000000ff000000ff) | ((pair & 0x000000ff000000ff) << 8)
}
