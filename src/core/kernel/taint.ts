// What the letters of `Tainted: G        W  O` mean. Source: Linux Documentation/admin-guide/
// tainted-kernels.rst; later letters from kernel/panic.c.

const meanings: Readonly<Record<string, string>> = {
  G: 'only GPL modules',
  P: 'proprietary module',
  F: 'module was force loaded',
  S: 'kernel runs on a system outside its specification',
  R: 'module was force unloaded',
  M: 'machine check happened',
  B: 'bad page was found',
  U: 'user space asked for the taint',
  D: 'kernel had died before (oops or BUG)',
  A: 'ACPI table was overridden',
  W: 'warning was printed before',
  C: 'staging driver',
  I: 'workaround for a firmware bug',
  O: 'out-of-tree module',
  E: 'unsigned module',
  L: 'soft lockup happened',
  K: 'live patched',
  X: 'distribution specific',
  T: 'structure layout was randomized',
  N: 'in-kernel test was run',
  J: 'firmware was changed through fwctl',
}

/** `O`, `out-of-tree module` for each letter. */
export const taintMeanings = (letters: string): { readonly flag: string; readonly meaning: string }[] =>
  [...letters].map((flag) => ({ flag, meaning: meanings[flag] ?? 'unknown flag' }))
