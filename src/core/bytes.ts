// Magic numbers and other known beginnings.

/** Do the bytes `wanted` stand at `at`? */
export function hasBytes(bytes: Uint8Array, at: number, wanted: ArrayLike<number>): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false
  return true
}
